#if Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import PerRequest
import PerRequestNIO

/// What a connection's requests have in common.
enum Connection {
    /// Those that end when the next request is served already.
    @TaskLocal static var releases: ReleasesUnderWay?
}

/// A server's channel each connection of which notes when its client closes its end, and lasts until all of its requests
/// have been released.
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

    func handle(value: Base.Value, logger: Logger) async {
        let releases = ReleasesUnderWay()
        await Connection.$releases.withValue(releases) { await base.handle(value: value, logger: logger) }
        await releases.end()
    }
}
#endif
