import GRPCCore
import HTTPTypes
import Logging

/// Makes statuses of errors that nobody meant for clients: they get what an HTTP client would.
struct RPCErrorReply: ServerInterceptor {
    let logger: Logger

    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>,
        context: ServerContext,
        next:
            @Sendable @concurrent (
                _ request: StreamingServerRequest<Input>,
                _ context: ServerContext
            ) async throws -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        var response = try await mapping { try await next(request, context) }
        if case .success(var contents) = response.accepted {
            let producer = contents.producer
            contents.producer = { writer in try await mapping { try await producer(writer) } }
            response.accepted = .success(contents)
        }
        return response
    }

    private func mapping<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as RPCError {
            throw error
        } catch {
            let reply = ErrorReply(error)
            if reply.status.kind == .serverError { logger.error("The RPC failed", metadata: ["error": "\(error)"]) }
            let code: RPCError.Code =
                switch reply.status {
                case .badRequest: .invalidArgument
                case .conflict: .aborted
                case .serviceUnavailable: .unavailable
                default: .internalError
                }
            throw RPCError(code: code, message: reply.message, cause: error)
        }
    }
}
