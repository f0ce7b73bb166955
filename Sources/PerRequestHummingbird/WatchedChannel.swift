#if Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import PerRequestNIO

/// A server's channel each connection of which notes when its client closes its end.
func watched(_ base: some ServerChildChannel) -> any ServerChildChannel { WatchedChannel(base: base) }

private struct WatchedChannel<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        base.setup(channel: channel, logger: logger).map { value in
            // Throws where the connection is dead already.
            try? channel.pipeline.syncOperations.addHandler(PeerWatch())
            return value
        }
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
#endif
