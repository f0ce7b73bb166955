#if NIO
import NIOCore
import NIOHTTP1
import PerRequest
import PerRequestAdapters
import PerRequestNIO
import PerRequestTestSupport
import PerRequestTesting

/// The server of Vapor's shape.
struct FutureServer: ConformanceServer {
    /// How a streamed body is written.
    enum Writer: CaseIterable {
        /// By the adapter's own type of a streamed body.
        case noted
        /// By the framework's, with callbacks.
        case callbacks
    }

    var writer = Writer.noted

    var unmetGuarantees: [UnmetGuarantee] { Self.unmetGuarantees }

    func run(_ application: ConformanceApplication, _ body: ConformanceBody) async throws {
        let app = Application(Route(application: application, writer: writer))
        app.middleware.use(
            ErrorMiddleware { _, error in
                guard let error = error as? ConformanceError else { return Response(status: .internalServerError) }
                error.noteMapping()
                return Response(status: .conflict)
            }
        )
        app.useRequestStore(observers: [application.observer], background: application.background)
        app.middleware.use(Hooks(application: application))
        app.middleware.use(RequestStoreMiddleware(collects: 1 << 14))
        try await app.run(background: application.background) { port in
            try await body { try await RawClient.connect(to: port) }
        }
    }

    /// A middleware that thinks in plain futures.
    private struct Hooks: Middleware {
        let application: ConformanceApplication

        func respond(to request: Request, chainingTo next: any Responder) -> EventLoopFuture<Response> {
            application.middlewareIn()
            return next.respond(to: request).map { response in
                application.middlewareOut()
                return response
            }
        }
    }

    /// An asynchronous handler, which a synchronous one is around, that is called from the future of the body.
    private struct Route: Responder {
        let application: ConformanceApplication
        let writer: Writer

        func respond(to request: Request) -> EventLoopFuture<Response> {
            request.body.collect(max: nil).flatMap { _ in
                request.eventLoop.makeFutureWithTask {
                    response(try await application.handle(String(request.path.dropFirst())))
                }
            }
        }

        private func response(_ reply: ConformanceReply) -> Response {
            let status = HTTPResponseStatus(statusCode: reply.status.httpCode)
            switch reply.body {
            case .empty: return Response(status: status)
            case .buffered(let text): return Response(status: status, body: .init(string: text))
            case .streamed: return Response(status: status, body: body(reply.parts))
            }
        }

        private func body(_ parts: ConformanceReply.Parts) -> Response.Body {
            switch writer {
            case .noted:
                Response.Body(requestStream: { writer in
                    for try await part in parts { try await writer.write(.buffer(ByteBuffer(string: part))) }
                })
            case .callbacks:
                Response.Body(stream: { writer in
                    let written = writer.eventLoop.makeFutureWithTask {
                        for try await part in parts { try await writer.write(.buffer(ByteBuffer(string: part))).get() }
                    }
                    written.whenSuccess { writer.write(.end, promise: nil) }
                    written.whenFailure { writer.write(.error($0), promise: nil) }
                })
            }
        }
    }
}
#endif
