#if ServiceLifecycle
import Logging
import PerRequest
import PerRequestServiceLifecycle
import ServiceLifecycle
import Synchronization
import Testing

@Suite("Work after the response as a service (rule 20)", .timeLimit(.minutes(1)))
struct BackgroundServiceTests {
    private final class Journal: Sendable {
        private let lines = Mutex<[String]>([])

        var entries: [String] { lines.withLock { $0 } }

        func note(_ line: String) { lines.withLock { $0.append(line) } }
    }

    /// A server with one request, which is over when the shutdown has begun.
    private struct Server: Service {
        let work: BackgroundWork
        let journal: Journal
        let isServing: AsyncStream<Void>.Continuation

        func run() async throws {
            await work.untilRunning()
            let scope = StoreScope(report: { journal.note("\($0)") }, background: work)
            try scope.store.afterResponse("early") {
                // Until it is shut down.
                for await _ in AsyncStream<Void>.makeStream().stream.cancelOnGracefulShutdown() {}
                journal.note("early")
            }
            isServing.yield()
            for await _ in AsyncStream<Void>.makeStream().stream.cancelOnGracefulShutdown() {}
            // The last request of a server that shuts down.
            try scope.store.afterResponse("late") { journal.note("late") }
            await scope.close()
        }
    }

    @Test("a graceful shutdown ends the server first, and lets the work drain")
    func gracefulShutdown() async throws {
        let work = BackgroundWork()
        let journal = Journal()
        let (serving, isServing) = AsyncStream<Void>.makeStream()
        let server = Server(work: work, journal: journal, isServing: isServing)
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: work),
                    .init(service: server, successTerminationBehavior: .ignore),
                ],
                logger: Logger(label: "test")
            )
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await _ in serving { break }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        // Both are of one request.
        #expect(journal.entries == ["early", "late"])
    }
}
#endif
