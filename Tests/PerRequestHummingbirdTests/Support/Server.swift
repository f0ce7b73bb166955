#if Hummingbird
import Hummingbird
import Logging
import NIOCore
import PerRequest
import PerRequestHummingbird
import PerRequestTestSupport
import ServiceLifecycle

/// A context that knows the connection's channel.
struct TestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

func makeRouter(options: RouterOptions = []) -> RequestStoreRouter<TestContext> {
    RequestStoreRouter(context: TestContext.self, options: options)
}

/// Runs an application on a free port of the loopback interface for as long as `body` runs.
func withServer<Result: Sendable>(
    _ router: RequestStoreRouter<TestContext>,
    limits: RequestLimits = RequestLimits(),
    observers: [any RequestObserver] = [],
    background: BackgroundWork? = nil,
    failureResponse: @escaping RequestStoreServer.FailureResponse = { _, _, status in Response(status: status) },
    logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
    _ body: (Int, ServiceGroup) async throws -> Result
) async throws -> Result {
    let (ports, continuation) = AsyncThrowingStream<Int, any Error>.makeStream()
    let app = Application(
        router: router,
        requestStore: .http1(
            limits: limits,
            observers: observers,
            background: background,
            failureResponse: failureResponse
        ),
        configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) },
        logger: logger
    )
    return try await withRunning(app, ports, continuation, body)
}

/// Makes a response of whatever is thrown.
struct Answering: RouterMiddleware {
    typealias Context = TestContext

    let status: HTTPResponse.Status

    init(with status: HTTPResponse.Status) { self.status = status }

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do { return try await next(request, context) } catch { return Response(status: status) }
    }
}
#endif
