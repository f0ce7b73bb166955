#if NIO
import NIOCore
import NIOHTTP1
import PerRequest
import PerRequestAdapters
import PerRequestNIO
import PerRequestTestSupport
import PerRequestTesting

/// A loop over a `NIOAsyncChannel`.
struct NIOServer: ConformanceServer {
    var unmetGuarantees: [UnmetGuarantee] { RequestStoreNIO.unmetGuarantees }

    func run(
        _ application: ConformanceApplication,
        _ body: @Sendable (_ connect: @escaping ConformanceConnect) async throws -> Void
    ) async throws {
        try await withAsyncServer(
            observers: [application.observer],
            background: application.background,
            failure: { error, status in
                guard let error = error as? ConformanceError else {
                    return TestResponse(HTTPResponseStatus(statusCode: status))
                }
                error.noteMapping()
                return TestResponse(.conflict)
            }
        ) { path, _ in
            application.middlewareIn()
            let reply = try await application.handle(String(path.dropFirst()))
            application.middlewareOut()
            return TestResponse(status: HTTPResponseStatus(statusCode: reply.status.httpCode)) { write in
                for try await part in reply.parts { try await write(part) }
            }
        } _: { port in
            try await body { try await RawClient.connect(to: port) }
        }
    }
}
#endif
