#if Hummingbird
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import PerRequest

/// Opens a store around everything the channel does for a request: the router, the head, the body.
func scoped(
    _ responder: @escaping HTTPChannelHandler.Responder,
    _ configuration: @escaping @Sendable (Request) -> StoreConfiguration
) -> HTTPChannelHandler.Responder {
    { request, writer, channel in
        var writer = Once(consume writer)
        let log = ExchangeLog()
        // No scope, which costs an object: this frame closes the store whatever happens.
        var store = RequestStore.open(sharing: configuration(request), reportingTo: log)
        defer { store.leave() }
        try await bound(store, log, channel) { [store] in
            do {
                try await responder(request, writer.take(), channel)
            } catch {
                let ending = await RequestOutcome.Ending(serving: error, on: channel)
                log.bodyFailed(error, ending)
                await store.close(ending, status: log.writtenStatus, leaving: Connection.releases(of: channel))
                throw error
            }
            let status = log.writtenStatus
            if store.closesAtOnce(.completed, status: status) { return }
            await store.close(.completed, status: status, leaving: Connection.releases(of: channel))
        }
    }
}

/// Runs `body` with the store, its exchange and its logger current.
func bound<Result>(
    _ store: RequestStore,
    _ log: ExchangeLog,
    _ channel: (any Channel)? = nil,
    _ body: () async throws -> Result
) async rethrows -> Result {
    try await store.run {
        try await Exchange.$current.withValue(Exchange(store: store, log: log, channel: channel)) {
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
