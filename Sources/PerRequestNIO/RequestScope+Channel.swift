#if NIO
import NIOCore
import PerRequest
import PerRequestAdapters

extension RequestScope {
    private static let channelKey = RequestLocal<(any Channel)?>("channel", carried: false)

    /// The client's connection, where the scope was opened for one.
    var channel: (any Channel)? { Self.channelKey.value(in: store) }

    /// Opens the scope's request for a connection.
    func serve(_ channel: any Channel) {
        // Throws when the request is over, and this one begins.
        try? Self.channelKey.set(channel, in: store)
    }

    /// Notes what the handler threw, or why: the client left, or the request was cancelled.
    nonisolated(nonsending) func failed(_ error: any Error) async {
        guard let channel else { return fail(error) }
        fail(as: await RequestOutcome.Ending(of: error, on: channel))
    }
}
#endif
