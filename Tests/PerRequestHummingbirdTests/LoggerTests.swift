#if Hummingbird
import Hummingbird
import Logging
import PerRequest
import PerRequestHummingbird
import PerRequestTestSupport
import Testing

/// A log handler that collects, and passes on to another one.
private struct Passing: LogHandler {
    let lines: LogCollector.Lines
    /// Asked whenever it is used.
    let next: @Sendable () -> any LogHandler
    var own: Logger.Metadata = [:]

    func log(event: LogEvent) {
        lines.append(event.level, "\(event.message)")
        next().log(event: event)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { own[key] ?? next()[metadataKey: key] }
        set { own[key] = newValue }
    }

    var metadata: Logger.Metadata {
        get { next().metadata.merging(own) { _, own in own } }
        set { own = newValue }
    }

    var logLevel: Logger.Level {
        get { next().logLevel }
        set {}
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { next().metadataProvider }
        set {}
    }
}

@Suite("The logger of a request never forwards to itself without end", .timeLimit(.minutes(3)))
struct LoggerTests {
    /// A route that logs in its streamed body, where our logger is the current one, and has something to report.
    private func router() -> RequestStoreRouter<TestContext> {
        let failing = RequestResource("failing") {
        } release: { _, _ in
            throw TestError("release")
        }
        let router = makeRouter()
        router.get("/") { _, _ in
            try await failing.get()
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    let logger = Logger.current
                    _ = (logger.logLevel, logger[metadataKey: "key"], logger.handler.metadata)
                    _ = logger.handler.metadataProvider
                    logger.error("body")
                    try await writer.finish(nil)
                }
            )
        }
        return router
    }

    private func request(_ router: RequestStoreRouter<TestContext>, _ watch: Watch, logger: Logger) async throws {
        try await withServer(router, observers: [watch], logger: logger) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/")
            #expect(try await client.response().status == 200)
            _ = await watch.nextOutcome()
            try await client.close()
        }
    }

    @Test("an application's handler that passes on to `Logger.current`, where that is another one")
    func readsCurrent() async throws {
        let lines = LogCollector.Lines()
        let logger = Logger(label: "test") { _ in
            Passing(lines: lines) {
                // Hummingbird makes it the current one around the router.
                let current = Logger.current.handler
                return current is Passing ? SwiftLogNoOpLogHandler() : current
            }
        }
        try await request(router(), Watch(), logger: logger)
        #expect(lines.errors.filter { $0 == "body" }.count == 1)
        #expect(lines.errors.filter { $0.contains("release") }.count == 1)
    }

    @Test("a request sent from within another one's body, whose logger wraps `Logger.current`")
    func wrapsCurrent() async throws {
        let (lines, outerLines) = (LogCollector.Lines(), LogCollector.Lines())
        let innerRouter = router()
        let inner = Application(router: innerRouter, requestStore: .http1()).responder
        let outer = makeRouter()
        outer.get("/") { request, context in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    let current = Logger.current.handler
                    let logger = Logger(label: "wrapping") { _ in Passing(lines: lines) { current } }
                    let source = ApplicationRequestContextSource(channel: context.channel, logger: logger)
                    let response = try await inner.respond(to: request, context: TestContext(source: source))
                    try await response.body.write(writer)
                }
            )
        }
        let logger = Logger(label: "test") { _ in LogCollector(outerLines) }
        try await request(outer, Watch(), logger: logger)
        #expect(lines.errors.contains("body"))
        #expect(outerLines.errors.filter { $0.hasPrefix("body") }.count == 1)
        #expect(outerLines.errors.filter { $0.contains("release") }.count == 1)
    }
}
#endif
