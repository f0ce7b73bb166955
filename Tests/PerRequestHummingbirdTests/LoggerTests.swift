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
    private func router() -> Router<TestContext> {
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

    private func request(_ router: Router<TestContext>, _ watch: Watch, logger: Logger) async throws {
        try await withServer(router, observer: watch, logger: logger) { port, _ in
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

    /// Logs when it is dropped, which asks the request for its logger.
    private final class LoggingError: Error {
        let logger: Logger

        init(_ logger: Logger) { self.logger = logger }

        deinit { logger.error("dropped") }
    }

    private struct Replacing: RouterMiddleware {
        typealias Context = TestContext

        func handle(
            _ request: Request,
            context: Context,
            next: @concurrent (Request, Context) async throws -> Response
        ) async throws -> Response {
            do { return try await next(request, context) } catch { throw TestError("replacing") }
        }
    }

    @Test("Rule 8: a handler's error that another one replaces is not dropped under a lock")
    func replacedError() async throws {
        let lines = LogCollector.Lines()
        let watch = Watch()
        let requestLogger = Box<Logger?>(nil)
        let router = Router(context: TestContext.self)
        router.add(middleware: Replacing())
        router.add(middleware: RequestStoreMiddleware())
        router.get("first") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    let logger = Logger.current
                    requestLogger.update { $0 = logger }
                    try await writer.finish(nil)
                }
            )
        }
        router.get("second") { _, _ -> String in
            // The first cause, so that the store does not keep what is thrown.
            RequestStore.current?.fail(TestError())
            throw LoggingError(try #require(requestLogger.value))
        }
        let logger = Logger(label: "test") { _ in LogCollector(lines) }
        try await withServer(router, observer: watch, logger: logger) { port, _ in
            let client = try await RawClient.connect(to: port)
            for (path, status) in [("/first", 200), ("/second", 500)] {
                try await client.get(path)
                #expect(try await client.response().status == status)
                _ = await watch.nextOutcome()
            }
            try await client.close()
        }
        #expect(lines.errors.filter { $0.hasPrefix("dropped") }.count == 1)
    }
}
#endif
