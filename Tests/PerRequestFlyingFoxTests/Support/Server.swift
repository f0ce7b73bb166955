#if FlyingFox
import FlyingFox
import FlyingSocks
import Foundation
import PerRequest
import PerRequestFlyingFox
import PerRequestTestSupport

/// Runs a server on a free port of the loopback interface for as long as `body` runs.
func withServer(
    _ handler: any HTTPHandler,
    timeout: TimeInterval = 60,
    _ body: (_ port: Int) async throws -> Void
) async throws {
    let server = HTTPServer(
        config: .init(address: try .inet(ip4: "127.0.0.1", port: 0), timeout: timeout, logger: .disabled),
        handler: handler
    )
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try? await server.run() }
        try await server.waitUntilListening(timeout: 60)
        guard case .ip4(_, let port) = await server.listeningAddress else { throw TestError("no address") }
        do {
            try await body(Int(port))
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }
}

/// A body that is made as it is sent, from a closure that gets the number of the part.
struct Parts: AsyncBufferedSequence {
    typealias Element = UInt8

    let part: @Sendable (Int) async throws -> String?

    func makeAsyncIterator() -> Iterator { Iterator(part: part) }

    struct Iterator: AsyncBufferedIteratorProtocol {
        let part: @Sendable (Int) async throws -> String?
        var number = 0

        mutating func next() async throws -> UInt8? { throw TestError("nobody asks for single bytes") }

        mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
            defer { number += 1 }
            return try await part(number).map { Array($0.utf8) }
        }
    }
}

extension HTTPResponse {
    init(_ text: String) { self.init(statusCode: .ok, body: Data(text.utf8)) }

    /// A response whose body is made as it is sent, with a length or chunked.
    init(count: Int? = nil, _ part: @escaping @Sendable (Int) async throws -> String?) {
        let parts = Parts(part: part)
        let body = count.map { HTTPBodySequence(from: parts, count: $0) } ?? HTTPBodySequence(from: parts)
        self.init(statusCode: .ok, body: body)
    }
}

/// A handler of a closure, in a request store.
func inStore(
    _ watch: Watch? = nil,
    report: @escaping @Sendable (RequestReport) -> Void = { _ in },
    _ handler: @escaping @Sendable (HTTPRequest) async throws -> HTTPResponse
) -> RequestStoreHandler {
    RequestStoreHandler(ClosureHTTPHandler(handler), observers: watch.map { [$0] } ?? [], report: report)
}
#endif
