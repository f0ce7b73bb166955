#if Hummingbird
public import HTTPTypes
public import Hummingbird
public import HummingbirdCore
import NIOCore
import PerRequest
import PerRequestAdapters
import PerRequestHummingbird
import PerRequestTestSupport
public import PerRequestTesting

/// A Hummingbird application with one route.
struct HummingbirdServer: ConformanceServer {
    var unmetGuarantees: [UnmetGuarantee] { RequestStoreServer.unmetGuarantees }

    func run(
        _ application: ConformanceApplication,
        _ body: @Sendable (_ connect: @escaping ConformanceConnect) async throws -> Void
    ) async throws {
        let router = makeRouter()
        router.add(middleware: Hooks(application: application))
        router.get(":name") { _, context in
            Response(try await application.handle(context.parameters.require("name")))
        }
        try await withServer(
            router,
            observers: [application.observer],
            background: application.background
        ) { port, _ in
            try await body { try await RawClient.connect(to: port) }
        }
    }

    private struct Hooks: RouterMiddleware {
        let application: ConformanceApplication

        func handle(
            _ request: Request,
            context: TestContext,
            next: @concurrent (Request, TestContext) async throws -> Response
        ) async throws -> Response {
            application.middlewareIn()
            let response = try await next(request, context)
            application.middlewareOut()
            return response
        }
    }
}

extension Response {
    fileprivate init(_ reply: ConformanceReply) {
        let body: ResponseBody =
            switch reply.body {
            case .empty: ResponseBody()
            case .buffered(let text): ResponseBody(byteBuffer: ByteBuffer(string: text))
            case .streamed:
                ResponseBody { writer in
                    for try await part in reply.parts { try await writer.write(ByteBuffer(string: part)) }
                    try await writer.finish(nil)
                }
            }
        self.init(status: HTTPResponse.Status(code: reply.status.httpCode), body: body)
    }
}

extension ConformanceError: HTTPResponseError {
    /// 409.
    public var status: HTTPResponse.Status { .conflict }

    /// An empty response.
    public func response(from request: Request, context: some RequestContext) throws -> Response {
        noteMapping()
        return Response(status: status)
    }
}
#endif
