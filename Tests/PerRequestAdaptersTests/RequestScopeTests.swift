// As the author of an adapter has it, in a package of its own: nothing that is internal or `package`.
import PerRequest
import PerRequestAdapters
import Synchronization
import Testing

@Suite("RequestScope (rules 1 to 3, 15, 16, 19, 21)")
struct RequestScopeTests {
    private static let user = RequestLocal<String?>("user")

    private struct Refused: Error {}

    /// A resource of one point, which notes its releases.
    private static func resource(
        _ name: String,
        released point: ReleasePoint = .afterResponse,
        in notes: Notes,
        failing: Bool = false
    ) -> RequestResource<String> {
        RequestResource(name, released: point) {
            name
        } release: { _, outcome in
            notes.add("\(name): \(outcome.verdict)")
            if failing { throw Refused() }
        }
    }

    @Test("opens a root, makes it current, settles and closes: each once")
    func serves() async throws {
        let notes = Notes()
        let before = Self.resource("before", released: .beforeResponse, in: notes)
        let after = Self.resource("after", in: notes)
        try await withRequestStore { outer in
            let scope = RequestScope(id: "7")
            #expect(scope.store != outer && scope.store.id == "7")
            let settlement = try await scope.run {
                #expect(RequestStore.current == scope.store)
                try Self.user.set("alice")
                _ = try await before.get() + after.get()
                return await scope.settle(status: .http(200))
            }
            #expect(settlement.failure == nil && settlement.replacement == nil)
            #expect(settlement.outcome.verdict == .commit && settlement.outcome.status == .http(200))
            #expect(notes.all == ["before: commit"])

            let outcome = await scope.close()
            #expect(outcome.verdict == .commit && scope.store.isClosed)
            #expect(await scope.settle(status: .http(500)).outcome.status == .http(200))
            #expect(notes.all == ["before: commit", "after: commit"])
            #expect(RequestStore.current == outer && Self.user.value == nil)
        }
    }

    @Test("a commit that fails: what is to be written in place of the response", arguments: [true, false])
    func failingCommit(isHTTP: Bool) async throws {
        let notes = Notes()
        let transaction = Self.resource("transaction", released: .beforeResponse, in: notes, failing: true)
        let scope = RequestScope(report: { _ in })
        _ = try await transaction.get(in: scope.store)
        let settlement = await scope.settle(status: isHTTP ? .http(201) : .grpc(0))
        #expect(settlement.replacement == (isHTTP ? .http(500) : .grpc(13)))
        #expect(settlement.failure?.failures.map(\.resource) == ["transaction"])
        #expect(settlement.outcome.verdict == .rollback)
        await scope.close()
    }

    @Test("what the handler threw rolls back, whatever status it became, and `run` throws its error as it is")
    func failing() async throws {
        let notes = Notes()
        let connection = Self.resource("connection", in: notes)
        let scope = RequestScope()
        _ = try await connection.get(in: scope.store)
        do throws(Refused) {
            try await scope.run { () async throws(Refused) in throw Refused() }
            Issue.record("`run` threw nothing")
        } catch {
            scope.fail(error)
        }
        await scope.settle(status: .http(409))
        let outcome = await scope.close()
        #expect(notes.all == ["connection: rollback"])
        guard case .failed(let error) = outcome.ending, error is Refused else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test("an adapter that knows the cause says it")
    func knownCause() async {
        let scope = RequestScope()
        scope.fail(as: .clientDisconnected)
        let outcome = await scope.close(.completed, status: .http(200))
        guard case .clientDisconnected = outcome.ending else {
            Issue.record("\(outcome)")
            return
        }
        #expect(outcome.verdict == .rollback)
    }

    @Test("a scope whose last copy is dropped reports itself, and no copy before it")
    func dropped() async throws {
        let notes = Notes()
        let (reports, continuation) = AsyncStream.makeStream(of: RequestReport.self)
        var scope: RequestScope? = RequestScope(report: { continuation.yield($0) })
        var copy = scope
        let store = try #require(scope).store
        let connection = Self.resource("connection", in: notes)
        _ = try await connection.get(in: store)
        scope = nil
        #expect(!store.isClosed && notes.all.isEmpty)
        #expect(copy != nil)
        copy = nil

        var iterator = reports.makeAsyncIterator()
        guard case .abandoned(let resources) = await iterator.next()?.kind else {
            Issue.record("another report came first")
            return
        }
        #expect(resources == ["connection"])
    }

    @Test("runs nothing after the response where nobody owns that, and gives it to who does")
    func background() async throws {
        let alone = RequestScope()
        #expect(throws: RequestStoreError.self) { try alone.store.afterResponse("mail") {} }
        await alone.close()

        let work = BackgroundWork()
        let notes = Notes()
        try await withThrowingTaskGroup { group in
            group.addTask { await work.runUntilShutdown() }
            await work.untilRunning()
            let scope = RequestScope(background: work)
            try scope.store.afterResponse("mail") { notes.add("mail") }
            await scope.settle(status: .http(200))
            #expect(notes.all.isEmpty)
            await scope.close()
            work.shutDown()
            try await group.waitForAll()
        }
        #expect(notes.all == ["mail"])
    }
}

/// What happened, in order.
final class Notes: Sendable {
    private let entries = Mutex<[String]>([])

    var all: [String] { entries.withLock { $0 } }

    func add(_ entry: String) {
        entries.withLock { $0.append(entry) }
    }
}
