import PerRequest
import Testing

@testable import WorkAfterTheResponse

@Suite("The guide to work after the response", .timeLimit(.minutes(5)))
struct GuideTests {
    private struct Refused: Error {}

    private let journal = Journal()

    private func request(_ body: () async throws -> Void) async throws {
        try await withRequestStore { _ in
            try Current.journal.set(journal)
            try Current.user.set("alice")
            try await body()
        }
    }

    @Test("What was committed is followed by all of its work, in order")
    func committed() async throws {
        try await request { try await create(Note()) }
        #expect(journal.entries == ["insert", "commit", "index", "mail", "audit"])
    }

    @Test("What was rolled back is followed by what always runs")
    func rolledBack() async throws {
        await #expect(throws: Refused.self) {
            try await request {
                try await create(Note())
                throw Refused()
            }
        }
        #expect(journal.entries == ["insert", "rollback", "audit"])
    }

    @Test("An order and its mail are one commit")
    func outbox() async throws {
        try await request { try await order(Order(id: 1)) }
        #expect(journal.entries == ["insert", "insert", "commit", "due"])
    }

    @Test("A Lambda's work runs before it answers")
    func lambda() async throws {
        try await request { _ = try await handle(Event(id: "1")) }
    }
}
