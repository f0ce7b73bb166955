import PerRequest
import PerRequestTesting
import Synchronization
import Testing

private let user = RequestLocal<String?>("user")

/// A database that counts how it was left.
private final class Database: Sendable {
    private let ends = Lock<[String]>([])

    var log: [String] { ends.withLock { $0 } }

    func end(_ how: String) { ends.withLock { $0.append(how) } }
}

private let database = RequestResource("database", released: .beforeResponse) {
    Database()
} release: { database, outcome in
    database.end("\(outcome.verdict)")
}

private struct Unavailable: Error {}

/// Built on the database.
private let repository = RequestResource("repository", released: .beforeResponse) {
    ("repository of", try await database.get())
} release: { _, _ in
}

@Suite("The stores of tests")
struct TestStoreTests {
    @Test("a value and a resource are overridden, and the replacement is not released")
    func overriding() async throws {
        let fake = Database()
        try await withTestRequestStore(overriding: [.value(of: user, "alice"), .resource(database, fake)]) { store in
            #expect(try user.require() == "alice")
            let used = try await database.get()
            #expect(used === fake)
            let base = try await repository.get().1
            #expect(base === fake, "what is built on it sees the replacement")
            try await withRequestStore(.child(owning: database)) { _ in
                let used = try await database.get()
                #expect(used === fake, "a child that owns it does, too")
            }
        }
        #expect(fake.log == [])
    }

    @Test("another store does not see the replacement")
    func independent() async throws {
        let fake = Database()
        try await withTestRequestStore(overriding: [.resource(database, fake)]) { _ in
            try await withRequestStore { _ in
                let used = try await database.get()
                #expect(used !== fake)
            }
        }
    }

    @Test("an around resource is overridden, and its function does not run")
    func around() async throws {
        let transaction = RequestResource.around("transaction") { use in
            Issue.record("the function runs")
            return try await use(1)
        }
        try await withTestRequestStore(overriding: [.resource(transaction, 2)]) { _ in
            let used = try await transaction.get()
            #expect(used == 2)
        }
    }

    @Test("what is made on a resource is made on its replacement, and has that for itself")
    func aroundOnReplaced() async throws {
        let fake = Database()
        let transaction = RequestResource.around("transaction", on: database, released: .beforeResponse) {
            database,
            use in
            database.end("begin")
            return try await use(database)
        }
        try await withTestRequestStore(overriding: [.resource(database, fake)]) { _ in
            let used = try await transaction.get()
            #expect(used === fake)
            let error = await #expect(throws: RequestStoreError.self) { try await database.useExclusively { _ in } }
            #expect(error.map { "\($0)" }?.hasSuffix("[claimed]") == true)
        }
        #expect(fake.log == ["begin"])
    }

    @Test("a factory can be made to fail")
    func failingFactory() async throws {
        try await withTestRequestStore(overriding: [.resource(database) { throw Unavailable() }]) { _ in
            await #expect(throws: Unavailable.self) { try await repository.get() }
        }
    }

    @Test("rule 15: a forced rollback rolls back what succeeded")
    func rollback() async throws {
        let used = try await withTestRequestStore(forcing: .rollback) { _ in try await database.get() }
        #expect(used.log == ["rollback"])
    }

    @Test("rule 16: a failing commit is thrown, and rolls the others back")
    func failingCommit() async throws {
        let seen = Lock<Database?>(nil)
        await #expect(throws: RequestReleaseError.self) {
            try await withTestRequestStore(forcing: .failingCommit) { _ in
                let used = try await database.get()
                seen.withLock { $0 = used }
            }
        }
        #expect(seen.withLock { $0?.log } == ["rollback"])
    }

    @Test("an error of the test's code leaves unchanged, whatever is forced")
    func error() async throws {
        await #expect(throws: CancellationError.self) {
            try await withTestRequestStore(forcing: .failingCommit) { _ in throw CancellationError() }
        }
    }
}

@Suite("The trait", .requestStore(overriding: [.value(of: user, "alice")]))
struct RequestStoreTraitTests {
    @Test("every test has a store of its own, with the overrides", arguments: 0..<3)
    func own(_ number: Int) async throws {
        #expect(try user.require() == "alice")
        try user.set("\(number)")
        await Task.yield()
        #expect(try user.require() == "\(number)")
    }

    @Test("a test's own trait comes inside", .requestStore(overriding: [.value(of: user, "bob")], forcing: .rollback))
    func inside() async throws {
        #expect(try user.require() == "bob")
        let used = try await database.get()
        #expect(used.log == [])
    }
}
