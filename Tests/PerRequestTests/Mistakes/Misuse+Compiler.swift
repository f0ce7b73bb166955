import Testing

/// Something that must not compile, and what the compiler says to it.
struct Mistake: Sendable, CustomTestStringConvertible {
    let name: String
    /// The expression with the mistake.
    let code: String
    /// What has to be in one of the messages.
    let message: String
    /// Whether it can stand for the value of a static constant, too.
    var isKey = true
    /// How many errors there are.
    var errors = 1

    var testDescription: String { name }

    /// The mistake outside and inside of a function's body.
    var places: [String] {
        let inside = "func inBody() async throws { let found = \(code); _ = found }"
        let closure =
            "func inClosure() { let body = { () async throws -> Void in let found = \(code); _ = found }; _ = body }"
        return [inside, closure] + (isKey ? ["enum Keys { static let key = \(code) }"] : [])
    }

    static let all = [
        Mistake(
            name: "a value that is not optional, without `initial:`",
            code: #"RequestLocal<User>("user")"#,
            message: "a value that is not optional needs `default:` or `initial:`"
        ),
        Mistake(
            name: "`get()` of a value that is not Sendable",
            code: "try await Current.client.get()",
            message: "the value is not Sendable: use it in the body of `useExclusively",
            isKey: false
        ),
        Mistake(
            name: "`get()` of a value that is not Sendable, used at once",
            code: "try await Current.client.get().query()",
            message: "the value is not Sendable: use it in the body of `useExclusively",
            isKey: false
        ),
        Mistake(
            name: "`get(in:)` of a value that is not Sendable",
            code: "try await Current.client.get(in: requestStore()).query()",
            message: "the value is not Sendable: use it in the body of `useExclusively",
            isKey: false
        ),
        Mistake(
            name: "a memo that gets a value that is not Sendable",
            code: #"RequestMemo("rows") { (id: Int) in try await Current.client.get().query() }"#,
            message: "the value is not Sendable: use it in the body of `useExclusively"
        ),
        Mistake(
            name: "`useExclusively` that returns the value",
            code: "try await Current.client.useExclusively { client in client }",
            message: "type 'Client' does not conform to the 'Sendable' protocol",
            isKey: false
        ),
        Mistake(
            name: "`useExclusively` that returns the value in something else",
            code: "try await Current.client.useExclusively { client in [client] }",
            message: "type 'Client' does not conform to the 'Sendable' protocol",
            isKey: false
        ),
        Mistake(
            name: "`around` that does not mention `use`",
            code: """
                RequestResource.around("key") { use in
                    try await Current.connection.get().withTransaction { transaction in transaction.insert() }
                }
                """,
            message: "call `use(_:)` with the resource, exactly once, and return what it returned"
        ),
        Mistake(
            name: "`around` that ignores `use`",
            code: #"RequestResource.around("key") { _ in 1 }"#,
            message: "call `use(_:)` with the resource, exactly once, and return what it returned"
        ),
        Mistake(
            name: "`around` on another one that does not mention `use`",
            code: """
                RequestResource.around("key", on: Current.connection) { connection, use in
                    try await connection.withTransaction { transaction in transaction.insert() }
                }
                """,
            message: "call `use(_:)` with the resource, exactly once, and return what it returned"
        ),
        Mistake(
            name: "`around` that does not return what `use` returned",
            code: """
                RequestResource.around("key") { use in
                    try await Current.connection.get().withTransaction { transaction in _ = try await use(transaction) }
                }
                """,
            message: "return what `use(_:)` returned, or `use.receipt()`"
        ),
        Mistake(
            name: "`around` a function that returns nothing",
            code: """
                RequestResource.around("key", released: .beforeResponse) { use in
                    try await Current.connection.get().withNothing { transaction in _ = try await use(transaction) }
                }
                """,
            message: "return what `use(_:)` returned, or `use.receipt()`"
        ),
        Mistake(
            name: "`around` on another one, of a function that returns nothing",
            code: """
                RequestResource.around("key", on: Current.connection, released: .beforeResponse) { connection, use in
                    try await connection.withNothing { transaction in _ = try await use(transaction) }
                }
                """,
            message: "return what `use(_:)` returned, or `use.receipt()`"
        ),
    ]
}

extension Mistake {
    /// What is used of a product whose trait is off.
    static let traits: [(product: String, code: String)] = {
        var all: [(String, String)] = []
        #if !Hummingbird
        all += [("Hummingbird", "RequestStoreMiddleware()"), ("Hummingbird", "RequestStoreMiddleware<User>()")]
        all += [("Hummingbird", "RequestStoreServer.self")]
        #endif
        #if !GRPC
        all += [("GRPC", "RequestStoreInterceptor()"), ("GRPC", "CurrentRPC.self")]
        #endif
        #if !NIO
        all += [("NIO", "try await withRequestScope(on: 1) { _ in 2 }"), ("NIO", "RequestEventLoop.self")]
        #endif
        #if !FlyingFox
        all += [("FlyingFox", "RequestStoreHandler(1)")]
        #endif
        return all
    }()
}

@Suite("What does not compile, and what the compiler says to it", .serialized)
struct MistakeTests {
    @Test("What it is compared with does compile")
    func none() throws {
        let messages = try Compiler.messages(
            about: """
                func body() async throws {
                    try Current.user.set(User())
                    try await Current.transaction.get().insert()
                    _ = try await Current.connection.get(in: requestStore())
                    _ = try await Current.client.useExclusively { client in try await client.query() }
                }
                func generic<Value: Sendable>(_ key: RequestResource<Value>) async throws -> Value { try await key.get() }
                """
        )
        #expect(messages == [])
    }

    @Test("A mistake is named, with what to write instead", arguments: Mistake.all)
    func named(_ mistake: Mistake) throws {
        for place in mistake.places {
            let messages = try Compiler.messages(about: place)
            #expect(messages.contains { $0.contains(mistake.message) }, "\(place): \(messages)")
            #expect(messages.count { $0.hasPrefix("error") } == mistake.errors, "\(messages)")
        }
    }

    @Test("A product whose trait is off says which one it needs", arguments: Mistake.traits)
    func trait(_ product: String, _ code: String) throws {
        let mistake = Mistake(
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
}
