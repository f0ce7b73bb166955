#if NIO
import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension Channel {
    /// Whether the connection is dead, or the peer has closed its end of it.
    ///
    /// A channel that allows half closure stays active when its peer closes it the ordinary way, and does not say that this
    /// has happened. A ``PeerWatch`` does where an adapter has added one, and the system does, for TCP: it cannot know of
    /// TLS, whose peer may wait for an answer before it closes the connection below.
    var isLeft: Bool {
        get async {
            guard isActive else { return true }
            let hasPeerClosed = await connection.hasPeerClosed
            // What the event loop was at when the error came is over now.
            return hasPeerClosed || !isActive
        }
    }

    /// The connection, which a stream of HTTP/2 shares with others.
    private var connection: any Channel { self is any SocketOptionProvider ? self : parent ?? self }

    private var hasPeerClosed: Bool {
        get async {
            let watch = try? await pipeline.handler(type: PeerWatch.self).get()
            if watch?.hasPeerClosed == true { return true }
            let socket = self as? any SocketOptionProvider
            return (try? await socket?.hasPeerClosed().get()) ?? false
        }
    }
}

extension SocketOptionProvider {
    /// Whether the peer has closed its end of a TCP connection.
    fileprivate func hasPeerClosed() -> EventLoopFuture<Bool> {
        #if canImport(Darwin)
        let states = [TCPS_CLOSE_WAIT, TCPS_CLOSING, TCPS_LAST_ACK, TCPS_TIME_WAIT, TCPS_CLOSED]
        return getTCPConnectionInfo().map { info in states.contains(Int32(info.tcpi_state)) }
        #else
        let states = [TCP_CLOSE_WAIT, TCP_CLOSING, TCP_LAST_ACK, TCP_TIME_WAIT, TCP_CLOSE]
        return getTCPInfo().map { info in states.contains { $0 == info.tcpi_state } }
        #endif
    }
}
#endif
