import Testing

@testable import PerRequest

@Suite("The misuses, each at its words", .serialized, .timeLimit(.minutes(10)))
struct MisuseTests {
    @Test("They are numbered, and what says how is a sentence of its own")
    func numbers() {
        #expect(
            Misuse.all.map(\.number) + Mistake.all.map(\.number) == Array(1...(Misuse.all.count + Mistake.all.count))
        )
    }

    @Test("It says the key, the request, the place and the remedy", arguments: Misuse.all)
    func says(_ misuse: Misuse) async throws {
        let words = try await misuse.provoke()
        #expect(words == misuse.message)
    }

    @Test("What it is compared with does compile")
    func compiles() throws {
        let messages = try Compiler.messages(
            about: """
                func body() async throws {
                    try Current.user.set(User())
                    let user = try Current.user.require()
                    let other = try Current.user.require(or: CancellationError())
                    let locale = try Current.locale.require()
                    print(user.name + other.name + locale)
                    try await Current.transaction.get().insert()
                    _ = try await Current.connection.get(in: requestStore())
                    _ = try await Current.connection.use { $0 }
                    _ = Current.connection.valueIfHeld
                    _ = try await Current.client.useExclusively { client in try await client.query() }
                }
                func generic<Value: Sendable>(_ key: RequestResource<Value>) async throws -> Value { try await key.get() }
                func generic<Value>(_ key: RequestLocal<Value>) throws -> Value { try key.require() }
                """
        )
        #expect(messages == [])
    }

    @Test("The compiler says what to write instead", arguments: Mistake.all)
    func compiler(_ mistake: Mistake) throws {
        for place in mistake.places {
            let messages = try Compiler.messages(about: place)
            #expect(messages.contains { $0.contains(mistake.message) }, "\(place): \(messages)")
            #expect(messages.count { $0.hasPrefix("error") } == mistake.errors, "\(messages)")
        }
    }

    @Test("A product whose trait is off says which one it needs", arguments: Mistake.traits)
    func trait(_ product: String, _ code: String) throws {
        let mistake = Mistake(
            number: 0,
            name: product,
            code: code,
            message: "PerRequest\(product) is empty without its trait: .package(…, traits: [\"\(product)\"])",
            isKey: !code.hasPrefix("try")
        )
        for place in mistake.places {
            let messages = try Compiler.messages(about: "import PerRequest\(product)\n\(place)")
            #expect(messages.contains { $0.contains(mistake.message) }, "\(place): \(messages)")
        }
    }

    @available(*, deprecated)
    @Test("A key's `get()` says what to write instead")
    func deprecated() throws {
        let messages = try Compiler.messages(about: "func body() throws { _ = try Current.user.get() }")
        #expect(messages.count == 1)
        #expect(messages.first?.contains("use `require()`; for an optional it throws where nothing is set") == true)
    }
}
