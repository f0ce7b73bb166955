#if FlyingFox
import FlyingFox
import Foundation
import PerRequest
import PerRequestAdapters
import PerRequestFlyingFox
import PerRequestTestSupport
import PerRequestTesting

/// A FlyingFox server with one handler.
struct FlyingFoxServer: ConformanceServer {
    var unmetGuarantees: [UnmetGuarantee] { RequestStoreHandler.unmetGuarantees }

    func run(
        _ application: ConformanceApplication,
        _ body: @Sendable (_ connect: @escaping ConformanceConnect) async throws -> Void
    ) async throws {
        let handler = RequestStoreHandler(
            ClosureHTTPHandler { request in
                // FlyingFox's middleware is a handler that wraps another one.
                application.middlewareIn()
                let reply = try await application.handle(String(request.path.dropFirst()))
                application.middlewareOut()
                return HTTPResponse(reply)
            },
            observers: [application.observer],
            report: { _ in },
            background: application.background
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await application.background.runUntilShutdown() }
            await application.background.untilRunning()
            defer { group.cancelAll() }
            try await withServer(handler) { port in
                try await body { try await RawClient.connect(to: port) }
            }
        }
    }
}

extension HTTPResponse {
    fileprivate init(_ reply: ConformanceReply) {
        let status = HTTPStatusCode(reply.status.httpCode, phrase: "Test")
        switch reply.body {
        case .empty: self.init(statusCode: status)
        case .buffered(let text): self.init(statusCode: status, body: Data(text.utf8))
        case .streamed(let part): self.init(part)
        }
    }
}
#endif
