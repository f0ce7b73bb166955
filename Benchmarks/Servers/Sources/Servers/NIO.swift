import NIOCore
import NIOHTTP1
import NIOPosix
import PerRequestNIO

private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, ResponsePart>
private typealias ResponsePart = HTTPPart<HTTPResponseHead, ByteBuffer>
private typealias Writer = NIOAsyncChannelOutboundWriter<ResponsePart>

extension Main {
    /// Every request leases a thing by hand.
    static func serveNIO() async throws {
        try await serve { _, outbound in
            let response: Response
            do {
                response = try await ByHand.thing.use { thing in Response(.ok, thing.text) }
            } catch {
                response = Response(.internalServerError, "")
            }
            try await outbound.write(contentsOf: response.parts)
        }
    }

    /// Every request leases a thing from its store.
    static func serveNIOWithStores() async throws {
        try await serve { channel, outbound in
            try await withRequestScope(on: channel) { scope in
                let response = await scope.httpResponse {
                    Response(.ok, try await Current.thing.get().text)
                } status: { response in
                    Int(response.status.code)
                } failure: { _, status in
                    Response(HTTPResponseStatus(statusCode: status), "")
                }
                try await outbound.write(contentsOf: response.parts)
            }
        }
    }

    /// The loop: the requests of a connection one after the other.
    private static func serve(_ respond: @escaping @Sendable (any Channel, Writer) async throws -> Void) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try channel.pipeline.syncOperations.addHandler(ResponseParts())
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
        printPort(server.channel.localAddress?.port)
        try await server.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    group.addTask {
                        try? await connection.executeThenClose { inbound, outbound in
                            for try await part in inbound {
                                guard case .head = part else { continue }
                                try await respond(connection.channel, outbound)
                            }
                        }
                    }
                }
            }
        }
    }
}

private struct Response: Sendable {
    let status: HTTPResponseStatus
    let text: String

    init(_ status: HTTPResponseStatus, _ text: String) {
        self.status = status
        self.text = text
    }

    var parts: [ResponsePart] {
        let headers: HTTPHeaders = ["Content-Length": "\(text.utf8.count)"]
        return [
            .head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)),
            .body(ByteBuffer(string: text)),
            .end(nil),
        ]
    }
}

/// Turns response parts that can be sent to another task into those of the encoder.
private final class ResponseParts: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = ResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part: HTTPServerResponsePart =
            switch unwrapOutboundIn(data) {
            case .head(let head): .head(head)
            case .body(let buffer): .body(.byteBuffer(buffer))
            case .end(let trailers): .end(trailers)
            }
        context.write(wrapOutboundOut(part), promise: promise)
    }
}
