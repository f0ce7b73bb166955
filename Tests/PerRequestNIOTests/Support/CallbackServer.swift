#if NIO
import NIOCore
import NIOHTTP1
import NIOPosix
import PerRequest
import PerRequestAdapters
import PerRequestNIO

typealias CallbackHandler = @Sendable (_ path: String, _ eventLoop: any EventLoop) -> RequestFuture<String>

/// Runs an HTTP/1 server on a free port of the loopback interface: a `ChannelHandler`, as a user writes it.
func withCallbackServer(
    observers: [any RequestObserver] = [],
    _ handler: @escaping CallbackHandler,
    _ body: (_ port: Int) async throws -> Void
) async throws {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: true)
                try channel.pipeline.syncOperations.addHandler(
                    RequestHandler(observers: observers, handler: handler)
                )
            }
        }
        .bind(host: "127.0.0.1", port: 0).get()
    do {
        try await body(server.localAddress?.port ?? 0)
    } catch {
        try await server.close()
        throw error
    }
    try await server.close()
}

/// Opens a scope at a request's head and closes it after the last byte.
private final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let observers: [any RequestObserver]
    private let handler: CallbackHandler
    private var scope: RequestScope?

    init(observers: [any RequestObserver], handler: @escaping CallbackHandler) {
        self.observers = observers
        self.handler = handler
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        let scope = RequestScope(observers: observers)
        self.scope = scope
        let (channel, eventLoop) = (context.channel, context.eventLoop)
        let written = RequestSnapshot(scope.store).run { handler(head.uri, eventLoop) }
            .map { text in (status: 200, text: text) }
            .recover { error in
                scope.fail(error)
                return (status: 500, text: "")
            }
            .flatMap { response in
                scope.settle(status: .http(response.status), on: eventLoop).map { settlement in
                    settlement.failure == nil ? response : (status: 500, text: "")
                }
            }
            .flatMap { response in
                let headers: HTTPHeaders = ["Content-Length": "\(response.text.utf8.count)"]
                let status = HTTPResponseStatus(statusCode: response.status)
                let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
                channel.write(HTTPServerResponsePart.head(head), promise: nil)
                channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: response.text))), promise: nil)
                return channel.writeAndFlush(HTTPServerResponsePart.end(nil))
            }
        written.whenComplete { result in
            switch result {
            case .success: scope.close(on: eventLoop)
            case .failure(let error):
                _ = eventLoop.makeFutureWithTask { await scope.close(.init(of: error, on: channel)) }
            }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        // After the response this does nothing: a scope is closed once.
        scope?.close(.clientDisconnected, on: context.eventLoop)
        context.fireChannelInactive()
    }
}
#endif
