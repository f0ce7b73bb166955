#if Hummingbird
package import NIOCore

/// The connection on which the current request came.
package enum CurrentConnection {
    /// The address of its other end; `nil` where the request came by none, or it is closed.
    package static var peer: SocketAddress? { Exchange.current?.channel?.remoteAddress }
}
#endif
