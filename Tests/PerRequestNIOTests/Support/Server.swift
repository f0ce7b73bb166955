#if NIO
import NIOCore
import NIOHTTP1
import NIOPosix
import PerRequest
import PerRequestNIO

/// What a handler of the test server returns.
struct TestResponse: Sendable {
    typealias Write = @Sendable (String) async throws -> Void

    var status: HTTPResponseStatus
    var body: @Sendable (Write) async throws -> Void

    init(_ status: HTTPResponseStatus = .ok, _ text: String = "") {
        self.status = status
        body = { write in if !text.isEmpty { try await write(text) } }
    }

    init(status: HTTPResponseStatus, body: @escaping @Sendable (Write) async throws -> Void) {
        self.status = status
        self.body = body
    }

    init(streaming body: @escaping @Sendable (Write) async throws -> Void) {
        status = .ok
        self.body = body
    }
}

/// Makes the response of a handler that threw, or of a commit that failed.
typealias TestFailure = @Sendable (any Error, _ status: Int) -> TestResponse

typealias TestHandler = @Sendable (_ path: String, _ channel: any Channel) async throws -> TestResponse

private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPPart<HTTPResponseHead, ByteBuffer>>

/// Runs an HTTP/1 server on a free port of the loopback interface: a loop over a `NIOAsyncChannel`, as a user writes it.
func withAsyncServer(
    observers: [any RequestObserver] = [],
    report: @escaping @Sendable (RequestReport) -> Void = { _ in },
    background: BackgroundWork? = nil,
    allowsHalfClosure: Bool = false,
    failure: @escaping TestFailure = { _, status in TestResponse(HTTPResponseStatus(statusCode: status)) },
    _ handler: @escaping TestHandler,
    _ body: (_ port: Int) async throws -> Void
) async throws {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .childChannelOption(.allowRemoteHalfClosure, value: allowsHalfClosure)
        .bind(host: "127.0.0.1", port: 0) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.configureHTTPServerPipeline(withPipeliningAssistance: false)
                try channel.pipeline.syncOperations.addHandler(ResponseParts())
                return try Connection(wrappingChannelSynchronously: channel)
            }
        }
    try await withThrowingTaskGroup(of: Void.self) { group in
        if let background {
            group.addTask { await background.runUntilShutdown() }
            await background.untilRunning()
        }
        group.addTask {
            try await server.executeThenClose { connections in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await connection in connections {
                        group.addTask {
                            try? await serve(
                                connection,
                                observers: observers,
                                report: report,
                                background: background,
                                failure: failure,
                                handler
                            )
                        }
                    }
                }
            }
        }
        try await body(server.channel.localAddress?.port ?? 0)
        group.cancelAll()
    }
}

/// The requests of one connection, one after the other.
private func serve(
    _ connection: Connection,
    observers: [any RequestObserver],
    report: @escaping @Sendable (RequestReport) -> Void,
    background: BackgroundWork?,
    failure: TestFailure,
    _ handler: TestHandler
) async throws {
    try await connection.executeThenClose { inbound, outbound in
        for try await part in inbound {
            guard case .head(let head) = part else { continue }
            try await withRequestScope(
                on: connection.channel,
                observers: observers,
                report: report,
                background: background
            ) { scope in
                let response = await scope.httpResponse {
                    try await handler(head.uri, connection.channel)
                } status: { response in
                    Int(response.status.code)
                } failure: { error, status in
                    failure(error, status)
                }
                let headers: HTTPHeaders = ["Transfer-Encoding": "chunked"]
                try await outbound.write(.head(.init(version: .http1_1, status: response.status, headers: headers)))
                try await response.body { text in try await outbound.write(.body(ByteBuffer(string: text))) }
                try await outbound.write(.end(nil))
            }
        }
    }
}

/// Turns response parts that can be sent to another task into those of the encoder.
final class ResponseParts: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = HTTPPart<HTTPResponseHead, ByteBuffer>
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
#endif
