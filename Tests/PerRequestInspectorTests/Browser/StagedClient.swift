#if Inspector
import NIOCore
import NIOPosix
import PerRequestTestSupport

/// Sends requests to a ``StagedApplication``.
struct StagedClient: Sendable {
    let port: Int

    var page: String { "http://127.0.0.1:\(port)/_requests" }

    /// Sends a request on a connection of its own, and returns while it is served.
    func send(_ path: String, method: String = "GET") async throws -> RawClient {
        let client = try await RawClient.connect(to: port)
        try await client.get(path, method: method)
        return client
    }

    /// Sends a request and waits for its response.
    @discardableResult
    func fetch(_ path: String, method: String = "GET") async throws -> RawResponse {
        let client = try await send(path, method: method)
        let response = try await client.response()
        try await client.close()
        return response
    }

    /// Sends as many requests as fast as the server goes, on four connections.
    func storm(of count: Int, _ path: String) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<4 { tasks.addTask { try await Storm.run(port: port, path: path, count: count / 4) } }
            try await tasks.waitForAll()
        }
    }
}

/// A client that asks, and reads only when it is told to.
struct SlowReader: Sendable {
    private let channel: any Channel

    static func connect(to port: Int, path: String) async throws -> SlowReader {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: port).get()
        try await channel.writeAndFlush(
            ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        )
        return SlowReader(channel: channel)
    }

    /// Reads everything until the server closes the connection.
    func readAll() async throws {
        try await channel.setOption(.autoRead, value: true).get()
        channel.read()
        try await channel.closeFuture.get()
    }
}

/// Requests one behind the other on one connection, a hundred at a time.
private final class Storm: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let batch: ByteBuffer
    private var batches: Int
    private var awaited = 0
    private var matched = 0

    init(path: String, count: Int) {
        batch = ByteBuffer(
            string: String(repeating: "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n", count: Self.size)
        )
        batches = count / Self.size
    }

    static let size = 100

    static func run(port: Int, path: String, count: Int) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Storm(path: path, count: count))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        try await channel.closeFuture.get()
    }

    func channelActive(context: ChannelHandlerContext) { sendBatch(context) }

    private func sendBatch(_ context: ChannelHandlerContext) {
        guard batches > 0 else { return context.close(promise: nil) }
        batches -= 1
        awaited = Self.size
        context.writeAndFlush(wrapOutboundOut(batch), promise: nil)
    }

    /// Counts the ends of heads; the bodies have no empty line.
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let mark: [UInt8] = [13, 10, 13, 10]
        for byte in unwrapInboundIn(data).readableBytesView {
            matched = byte == mark[matched] ? matched + 1 : byte == 13 ? 1 : 0
            guard matched == 4 else { continue }
            matched = 0
            awaited -= 1
        }
        if awaited == 0 { sendBatch(context) }
    }
}
#endif
