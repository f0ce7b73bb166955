import Testing

@testable import PerRequest

@Suite("Keys know where they are declared")
struct DeclarationTests {
    private struct Instance {
        let user = RequestLocal<String?>("instance user")
    }

    private enum First {
        static let user = RequestLocal<String?>("shared user")
    }

    private enum Second {
        static let user = RequestLocal<Int?>("shared user")
    }

    private func text(_ body: () async throws -> some Any) async -> String {
        await #expect(throws: RequestStoreError.self) { _ = try await body() }.map { "\($0)" } ?? "-"
    }

    @Test("A key that is made at each access is recognized, also where it was set in a parent")
    func instance() async throws {
        try await withRequestStore { _ in
            try Instance().user.set("alice")
            try await withRequestStore(.child) { _ in
                let message = await text { try Instance().user.require() }
                #expect(message.contains("Declare it as `static let`."))
            }
        }
    }

    @Test("Two declarations that share a name are both named, if the other one has been set")
    func shared() async throws {
        try await withRequestStore { _ in
            let before = await text { try First.user.require() }
            #expect(before.hasSuffix("[unset]"))
            try Second.user.set(1)
            let text = await text { try First.user.require() }
            #expect(text.hasSuffix("Use one of them everywhere. [otherKeySet]"))
        }
        // What another request has set is none of this one's business.
        try await withRequestStore { _ in
            let message = await text { try First.user.require() }
            #expect(message.hasSuffix("[unset]"))
        }
    }

    @Test("A value is refused at a thousand keys of one declaration")
    func refusedValue() async throws {
        func key() -> RequestLocal<Int> { RequestLocal("too many", default: 7) }
        try await withRequestStore { _ in
            for _ in 0..<Declarations.limit { try key().set(1) }
            let refused = key()
            #expect(refused.value == 7)
            let texts = [
                await text { try refused.set(1) }, await text { try refused.require() },
                await text { try refused.update { $0 += 1 } },
            ]
            for text in texts { #expect(text.hasSuffix("[keyMadeAnew]")) }
            #expect(refused.value == 7)
        }
    }

    @Test("So is a value that is made at its first read")
    func refusedInitial() async throws {
        func key() -> RequestLocal<Int> { RequestLocal("too many made", initial: { 7 }) }
        for _ in 0..<Declarations.limit { _ = key() }
        try await withRequestStore { _ in
            #expect(key().value == 7)
            let message = await text { try key().require() }
            #expect(message.hasSuffix("[keyMadeAnew]"))
        }
    }

    @Test("So is a resource, whatever it is asked for, and an `around`")
    func refusedResource() async throws {
        func key() -> RequestResource<Int> {
            RequestResource("too many") {
                1
            } release: { _, _ in
            }
        }
        func around(_ base: RequestResource<Int>) -> RequestResource<Int> {
            .around("too many around", on: base) { value, use in try await use(value) }
        }
        let base = key()
        for _ in 1..<Declarations.limit { _ = key() }
        for _ in 0..<Declarations.limit { _ = around(base) }
        try await withRequestStore { store in
            let value = try await base.get()
            #expect(value == 1)
            for refused in [key(), around(base)] {
                let texts = [
                    await text { try await refused.get() }, await text { try await refused.get(in: store) },
                    await text { try await refused.use { $0 } }, await text { try await refused.useExclusively { $0 } },
                ]
                for text in texts { #expect(text.hasSuffix("[keyMadeAnew]")) }
                #expect(refused.valueIfHeld == nil)
            }
            let built = RequestResource.around("built", on: key()) { value, use in try await use(value) }
            let message = await text { try await built.get() }
            #expect(message.hasSuffix("[keyMadeAnew]"))
        }
    }

    @Test("So is a memo")
    func refusedMemo() async throws {
        func key() -> RequestMemo<Int, Int> { RequestMemo("too many") { (number: Int) in number } }
        for _ in 0..<Declarations.limit { _ = key() }
        try await withRequestStore { _ in
            let message = await text { try await key()(1) }
            #expect(message.hasSuffix("[keyMadeAnew]"))
        }
    }
}
