import PerRequest
import Testing

enum Smoke {
    static let user = RequestLocal<String?>("user")
    static let hits = RequestLocal("hits", default: 0)
    static let trace = RequestLocal("trace", initial: { Int.random(in: 0..<1_000_000) })
    static let log = RequestLocal("log", default: [String]())
    static let connection = RequestResource("connection") {
        try log.update { $0.append("lease") }
        return 7
    } release: { c, outcome in
        try log.update { $0.append("give back \(c) \(outcome)") }
        print(log.value)
    }
    static let transaction = RequestResource.around("transaction", released: .beforeResponse) { use in
        let c = try await connection.get()
        do {
            let r = try await use("tx\(c)")
            try log.update { $0.append("commit") }
            return r
        } catch {
            try log.update { $0.append("rollback \(error)") }
            throw error
        }
    }
}

@Test func smoke() async throws {
    try await withRequestStore { store in
        try Smoke.user.set("a")
        #expect(try Smoke.user.require() == "a")
        try Smoke.hits.update { $0 += 1 }
        #expect(Smoke.trace.value == Smoke.trace.value)
        #expect(try await Smoke.transaction.get() == "tx7")
        #expect(try await Smoke.connection.get() == 7)
        try store.set("prisma", to: 5)
        #expect(try store.get("prisma", as: Int.self) == 5)
    }
    struct Boom: Error {}
    await #expect(throws: Boom.self) {
        try await withRequestStore { store in
            _ = try await Smoke.transaction.get()
            throw Boom()
        }
    }
    #expect(throws: RequestStoreError.self) { try Smoke.user.set("x") }
    do { try Smoke.user.set("x") } catch { print(error) }
    do { _ = try await Smoke.connection.get(in: requestStore()) } catch { print(error) }
}
