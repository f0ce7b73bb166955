#if Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import PerRequest
import PerRequestNIO
import Synchronization

/// What a connection's requests have in common.
enum Connection {
    /// By the connection's channel: few requests ask for it, and each of their tasks would take a task-local along.
    private static let open = Mutex<[ObjectIdentifier: ReleasesUnderWay]>([:])

    /// The connection's releases that end when the next request is served already.
    ///
    /// - Parameter channel: The connection's, or that of one of its streams.
    static func releases(of channel: any Channel) -> ReleasesUnderWay? {
        open.withLock { $0[ObjectIdentifier(channel)] } ?? channel.parent.flatMap(releases)
    }

    /// Runs `body`, and waits until all of its requests have been released.
    static func with(_ channel: any Channel, _ body: () async -> Void) async {
        let releases = ReleasesUnderWay()
        open.withLock { $0[ObjectIdentifier(channel)] = releases }
        await body()
        await releases.end()
        open.withLock { $0[ObjectIdentifier(channel)] = nil }
    }
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
        await Connection.with(value.channel) { await base.handle(value: value, logger: logger) }
    }
}
#endif
