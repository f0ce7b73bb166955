#if Inspector
import Hummingbird
import Logging
import NIOCore
import PerRequest
import PerRequestHummingbird
import PerRequestInspector
import ServiceLifecycle

/// An application whose requests are slow for as long as a test wants them to be, each for another reason.
struct StagedApplication: Sendable {
    /// Holds up the reports, which hold a lease of the pool each; the commit; the child; and what `/hold` answers.
    let reports = Gate()
    let commit = Gate()
    let child = Gate()
    let held = Gate()
    let inspector = RequestInspector()
    let keys: Keys

    struct Keys: Sendable {
        let database: RequestResource<String>
        let transaction: RequestResource<String>
        let upstream: RequestResource<String>
        let markup: RequestResource<String>
    }

    /// - Parameter leases: How many the pool has.
    init(leases: Int = 2) {
        let pool = Pool(size: leases)
        let (commit, child) = (commit, child)
        let database = RequestResource("database") {
            await pool.lease()
            return "lease"
        } release: { _, _ in
            await pool.giveBack()
        }
        keys = Keys(
            database: database,
            transaction: RequestResource("transaction", released: .beforeResponse) {
                _ = try await database.get()
                return "transaction"
            } release: { _, _ in
                await commit.pass()
            },
            upstream: RequestResource("upstream") {
                await child.pass()
                return "upstream"
            } release: { _, _ in
            },
            markup: RequestResource("<marquee>key</marquee>") {
                "value"
            } release: { _, _ in
            }
        )
    }

    /// Lets everything pass.
    func openAll() { for gate in [reports, commit, child, held] { gate.open() } }

    /// Runs it on the loopback interface for as long as `body` runs.
    ///
    /// - Parameter port: The port; 0 for a free one.
    func run(on port: Int = 0, _ body: @Sendable (StagedClient) async throws -> Void) async throws {
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let app = Application(
            router: router(),
            requestStore: .http1(observers: [inspector], background: BackgroundWork()),
            configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) },
            logger: Logger(label: "staged") { _ in SwiftLogNoOpLogHandler() }
        )
        let group = ServiceGroup(configuration: .init(services: [app], logger: app.logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { continuation.finish() }
                try await group.run()
            }
            for await port in ports {
                let result = await Result { try await body(StagedClient(port: port)) }
                openAll()
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
                return try result.get()
            }
            try await tasks.waitForAll()
        }
    }

    private func router() -> RequestStoreRouter<BasicRequestContext> {
        let router = RequestStoreRouter(context: BasicRequestContext.self)
        inspector.mount(on: router, at: "/_requests")
        let (keys, reports, held) = (keys, reports, held)
        router.get("ping") { _, _ in "pong" }
        router.get("hold") { _, _ in
            await held.pass()
            return "held"
        }
        router.get("reports/:id") { _, _ in
            try await keys.database.use { _ in await reports.pass() }
            return "a report"
        }
        router.get("notes/:id") { _, _ in try await keys.database.get() }
        router.post("notes") { _, _ in
            try await keys.transaction.use { _ in "written" }
        }
        router.post("import") { _, _ in
            try await withRequestStore(.child(owning: keys.upstream), id: "import") { _ in try await keys.upstream.get()
            }
        }
        router.get("export") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    let part = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 16)
                    // More than the connection takes ahead of its reader.
                    for _ in 0..<8192 { try await writer.write(part) }
                    try await writer.finish(nil)
                }
            )
        }
        router.get("<marquee>route") { _, _ -> Response in
            _ = try await keys.markup.get()
            throw MarkupError()
        }
        addOrders(to: router)
        return router
    }
}

private struct MarkupError: Error, CustomStringConvertible {
    let description = "<marquee>error</marquee><script>document.title = 'run'</script>"
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
#endif
