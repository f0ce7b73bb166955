#if Hummingbird || NIO || FlyingFox
import Foundation
import NIOCore
import NIOPosix

/// A connection that a test drives byte by byte.
package actor RawClient {
    private let channel: any Channel
    private var inbound: AsyncThrowingStream<ByteBuffer, any Error>.Iterator
    private var text = ""

    private init(channel: any Channel, inbound: AsyncThrowingStream<ByteBuffer, any Error>) {
        self.channel = channel
        self.inbound = inbound.makeAsyncIterator()
    }

    package static func connect(to port: Int) async throws -> RawClient {
        let (stream, continuation) = AsyncThrowingStream<ByteBuffer, any Error>.makeStream()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.minutes(2))
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Forwarder(continuation: continuation))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawClient(channel: channel, inbound: stream)
    }

    package func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text))
    }

    /// Sends bytes that need not be text.
    package func send(bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    package func get(_ path: String, method: String = "GET", headers: [String: String] = [:]) async throws {
        let lines = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
        try await send("\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\(lines)\r\n")
    }

    /// Reads until the text read so far contains `mark`, and takes everything up to and with it.
    package func read(through mark: String) async throws -> String {
        while true {
            if let range = text.range(of: mark) {
                defer { text.removeSubrange(..<range.upperBound) }
                return String(text[..<range.upperBound])
            }
            guard try await readMore() else { throw EndOfStream(text: text) }
        }
    }

    /// Reads a response: its head, and its body by `Content-Length` or chunks.
    package func response(to method: String = "GET") async throws -> RawResponse {
        let head = try await read(through: "\r\n\r\n")
        var lines = head.split(separator: "\r\n").map(String.init)
        let statusLine = lines.removeFirst().split(separator: " ")
        var headers: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(colon, offsetBy: 2)...].description
        }
        var response = RawResponse(status: Int(statusLine[1]) ?? 0, headers: headers, body: "")
        if method == "HEAD" || response.status == 204 || response.status == 304 { return response }
        if let length = headers["content-length"].flatMap(Int.init) {
            while text.utf8.count < length { guard try await readMore() else { throw EndOfStream(text: text) } }
            response.body = String(text.prefix(length))
            text.removeFirst(length)
        } else if headers["transfer-encoding"] == "chunked" {
            while true {
                let size = Int(try await read(through: "\r\n").dropLast(1), radix: 16) ?? 0
                let chunk = try await read(through: "\r\n").dropLast(1)
                if size == 0 { break }
                response.body += chunk
            }
        }
        return response
    }

    /// Reads until some of a chunked body is there.
    package func readBody() async throws {
        _ = try await read(through: "\r\n\r\n")
        _ = try await read(through: "\r\n")
        while text.isEmpty { guard try await readMore() else { throw EndOfStream(text: text) } }
    }

    /// Everything that is still sent until the server closes the connection.
    package func rest() async throws -> String {
        while try await readMore() {}
        defer { text = "" }
        return text
    }

    /// Everything that is still sent until the server closes the connection, which need not be text.
    package func restOfBytes() async throws -> [UInt8] {
        var bytes = Array(text.utf8)
        text = ""
        while let buffer = try await nextBuffer() { bytes += buffer.readableBytesView }
        return bytes
    }

    /// Closes both directions the ordinary way.
    package func close() async throws { try await channel.close() }

    /// Closes the sending direction and goes on reading.
    package func halfClose() async throws { try await channel.close(mode: .output) }

    /// Closes with a reset.
    package func reset() async throws {
        if let options = channel as? any SocketOptionProvider {
            try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        try await channel.close()
    }

    private func readMore() async throws -> Bool {
        guard let buffer = try await nextBuffer() else { return false }
        text += String(buffer: buffer)
        return true
    }

    private func nextBuffer() async throws -> ByteBuffer? {
        var iterator = inbound
        defer { inbound = iterator }
        return try await iterator.next(isolation: #isolation)
    }

    package struct EndOfStream: Error { let text: String }
}

package struct RawResponse: Sendable {
    package var status: Int
    package var headers: [String: String]
    package var body: String
}

private final class Forwarder: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let continuation: AsyncThrowingStream<ByteBuffer, any Error>.Continuation

    init(continuation: AsyncThrowingStream<ByteBuffer, any Error>.Continuation) { self.continuation = continuation }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { continuation.yield(unwrapInboundIn(data)) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { continuation.finish() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { continuation.finish(throwing: error) }

    func channelInactive(context: ChannelHandlerContext) { continuation.finish() }
}
#endif
