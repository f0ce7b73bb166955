#if Inspector
import Hummingbird
import Logging
import NIOCore
import PerRequest
import PerRequestHummingbird
import PerRequestInspector
import PerRequestTestSupport
import ServiceLifecycle

/// An application with an inspector, on a free port of the loopback interface, for as long as `body` runs.
func withInspected<Result: Sendable>(
    _ router: RequestStoreRouter<BasicRequestContext>,
    _ inspector: RequestInspector,
    observers: [any RequestObserver] = [],
    limits: RequestLimits = RequestLimits(),
    background: BackgroundWork? = nil,
    address: BindAddress = .hostname("127.0.0.1", port: 0),
    _ body: (Int, ServiceGroup) async throws -> Result
) async throws -> Result {
    let (ports, continuation) = AsyncThrowingStream<Int, any Error>.makeStream()
    let app = Application(
        router: router,
        requestStore: .http1(limits: limits, observers: [inspector] + observers, background: background),
        configuration: .init(address: address),
        onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) },
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    )
    return try await withRunning(app, ports, continuation, body)
}

/// What a server answers to one request, on a connection of its own.
func get(
    _ path: String,
    on port: Int,
    method: String = "GET",
    host: String = "localhost",
    headers: [String: String] = [:]
) async throws -> Answer {
    let client = try await RawClient.connect(to: port)
    let fields = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
    try await client.send("\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\(fields)\r\n")
    // A body need not be of ASCII characters, and may come in several parts.
    let bytes = try await client.restOfBytes()
    let end = bytes.indices.first { bytes[$0...].starts(with: "\r\n\r\n".utf8) } ?? bytes.endIndex
    var lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
    let status = lines.isEmpty ? nil : lines.removeFirst().split(separator: " ").dropFirst().first
    let received = lines.compactMap { line in
        line.firstIndex(of: ":").map { (line[..<$0].lowercased(), String(line[$0...].dropFirst(2))) }
    }
    return Answer(
        status: status.flatMap { Int($0) } ?? 0,
        headers: Dictionary(received) { first, _ in first },
        body: String(decoding: bytes[end...].dropFirst(4), as: UTF8.self)
    )
}

struct Answer: Sendable {
    let status: Int
    let headers: [String: String]
    let body: String
}

/// What the inspector shows.
func kept(on port: Int, at path: String = "/_requests/snapshot") async throws -> Kept {
    try Kept(json: try await get(path, on: port).body)
}

/// Waits until a gate is opened, or the test's time is over.
final class Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func open() { continuation.finish() }

    func pass() async { for await _ in stream {} }
}
#endif
