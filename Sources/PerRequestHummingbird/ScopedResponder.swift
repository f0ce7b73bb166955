#if Hummingbird
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import PerRequest

/// Opens a scope around everything the channel does for a request: the router, the head, the body.
func scoped(
    _ responder: @escaping HTTPChannelHandler.Responder,
    _ openScope: @escaping @Sendable (ExchangeLog, Request) -> StoreScope
) -> HTTPChannelHandler.Responder {
    { request, writer, channel in
        var writer = Once(consume writer)
        let log = ExchangeLog()
        let scope = openScope(log, request)
        try await bound(scope, log, Exchange.Origin(scope: scope, channel: channel)) {
            do {
                try await responder(request, writer.take(), channel)
            } catch {
                let ending = await RequestOutcome.Ending(serving: error, on: channel)
                log.bodyFailed(error, ending)
                await scope.close(ending, status: log.writtenStatus, leaving: Connection.releases)
                throw error
            }
            let status = log.writtenStatus
            if scope.closedAtOnce(.completed, status: status) != nil { return }
            await scope.close(.completed, status: status, leaving: Connection.releases)
        }
    }
}

/// Runs `body` with the scope's store, its exchange and its logger current.
func bound<Result>(
    _ scope: StoreScope,
    _ log: ExchangeLog,
    _ origin: Exchange.Origin? = nil,
    _ body: () async throws -> Result
) async rethrows -> Result {
    try await scope.run {
        try await Exchange.$current.withValue(Exchange(store: scope.store, log: log, origin: origin)) {
            try await withLogger(RequestLogHandler.logger) { _ in try await body() }
        }
    }
}

/// Carries a response's writer, which is neither copyable nor sendable, through closures that run once in the same task.
private struct Once: ~Copyable, @unchecked Sendable {
    private var writer: ResponseWriter?

    init(_ writer: consuming ResponseWriter) { self.writer = consume writer }

    mutating func take() -> sending ResponseWriter { writer.take()! }
}
#endif
