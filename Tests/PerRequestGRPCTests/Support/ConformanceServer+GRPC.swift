#if GRPC
public import GRPCCore
import GRPCNIOTransportHTTP2Posix
import PerRequest
import PerRequestAdapters
import PerRequestGRPC
public import PerRequestTesting
import Synchronization

/// A gRPC server with one method, over HTTP/2.
struct GRPCTestServer: ConformanceServer {
    var unmetGuarantees: [UnmetGuarantee] {
        RequestStoreTransport<HTTP2ServerTransport.Posix>.unmetGuarantees
    }

    /// The status is sent last.
    var promisesSuccessLast: Bool { true }

    func run(
        _ application: ConformanceApplication,
        _ body: @Sendable (_ connect: @escaping ConformanceConnect) async throws -> Void
    ) async throws {
        let handle: Handler = { request, _ in
            StreamingServerResponse(try await application.handle(try await onlyMessage(of: request)))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await application.background.runUntilShutdown() }
            await application.background.untilRunning()
            defer { group.cancelAll() }
            try await withService(
                over: .http2,
                ["Handle": handle],
                interceptors: [RequestStoreInterceptor(), Hooks(application: application)],
                observers: [application.observer],
                background: application.background
            ) { caller in
                try await body { Connection(caller: caller) }
            }
        }
    }

    private struct Hooks: ServerInterceptor {
        let application: ConformanceApplication

        func intercept<Input: Sendable, Output: Sendable>(
            request: StreamingServerRequest<Input>,
            context: ServerContext,
            next:
                @Sendable @concurrent (
                    StreamingServerRequest<Input>,
                    ServerContext
                ) async throws -> StreamingServerResponse<Output>
        ) async throws -> StreamingServerResponse<Output> {
            application.middlewareIn()
            let response = try await next(request, context)
            application.middlewareOut()
            return response
        }
    }

    /// What one client of the server does: all share a connection of HTTP/2.
    private final class Connection: ConformanceConnection {
        private let caller: Caller
        private let call = Mutex<Task<Void, Never>?>(nil)
        private let messages = AsyncStream<Void>.makeStream()

        init(caller: Caller) { self.caller = caller }

        func ask(_ requests: [String]) async throws -> [ConformanceAnswer] {
            var answers: [ConformanceAnswer] = []
            for request in requests {
                do {
                    let body = try await caller.call("Handle", [request]).joined()
                    answers.append(ConformanceAnswer(status: .grpc(0), isSuccess: true, body: body))
                } catch let error as RPCError {
                    answers.append(ConformanceAnswer(status: .grpc(error.code.rawValue), isSuccess: false, body: ""))
                }
            }
            return answers
        }

        func open(_ request: String) async throws {
            let (caller, arrived) = (caller, messages.continuation)
            let task = Task {
                _ = try? await caller.stream("Handle") { writer in
                    try await writer.write(request)
                } consume: { response in
                    for try await _ in response.messages { arrived.yield() }
                    return []
                }
                arrived.finish()
            }
            call.withLock { $0 = task }
        }

        func readSome() async throws {
            for await _ in messages.stream { return }
            throw RPCError(code: .dataLoss, message: "The response had no message.")
        }

        func leave() async throws {
            let task = call.withLock { $0 }
            task?.cancel()
            await task?.value
        }

        func close() async throws {}
    }
}

extension StreamingServerResponse<String> {
    fileprivate init(_ reply: ConformanceReply) {
        if let code = RPCError.Code(Status.Code(rawValue: reply.status.grpcCode) ?? .unknown) {
            self.init(error: RPCError(code: code, message: "returned"))
        } else {
            self.init { writer in
                for try await part in reply.parts { try await writer.write(part) }
                return [:]
            }
        }
    }
}

extension ConformanceError: RPCErrorConvertible {
    /// `ABORTED`.
    public var rpcErrorCode: RPCError.Code {
        noteMapping()
        return .aborted
    }

    /// A word.
    public var rpcErrorMessage: String { "mapped" }
}
#endif
