#if Hummingbird
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import PerRequest

/// Opens a scope around everything the channel does for a request: the router, the head, the body.
func scoped(
    _ responder: @escaping HTTPChannelHandler.Responder,
    _ openScope: @escaping @Sendable (ExchangeLog) -> RequestScope
) -> HTTPChannelHandler.Responder {
    { request, writer, channel in
        var writer = Once(consume writer)
        let log = ExchangeLog()
        let scope = openScope(log)
        try await scope.run {
            try await Exchange.$current.withValue(Exchange(scope: scope, log: log)) {
                try await withLogger(RequestLogHandler.logger) { _ in
                    do {
                        try await responder(request, writer.take(), channel)
                    } catch {
                        await scope.close(ending(of: error, on: channel), status: log.writtenStatus)
                        throw error
                    }
                    await scope.close(.completed, status: log.writtenStatus)
                }
            }
        }
    }
}

/// Carries a response's writer, which is neither copyable nor sendable, through closures that run once in the same task.
private struct Once: ~Copyable, @unchecked Sendable {
    private var writer: ResponseWriter?

    init(_ writer: consuming ResponseWriter) { self.writer = consume writer }

    mutating func take() -> sending ResponseWriter { writer.take()! }
}

/// How a request ended whose response could not be written.
///
/// An error that a dead connection causes counts as the client's leaving only if this connection is dead: the same error
/// comes from a database that is reached over NIO.
private func ending(of error: any Error, on channel: any Channel) -> RequestOutcome.Ending {
    if error is CancellationError, Task.isCancelled { return .cancelled }
    // A `CancellationError` in a task that is not cancelled comes from Hummingbird's
    // `consumeWithCancellationOnInboundClose`.
    let isConnectionError =
        error is ChannelError || error is IOError || error is NIOAsyncWriterError || error is CancellationError
    return isConnectionError && !channel.isActive ? .clientDisconnected : .failed(error)
}
#endif
