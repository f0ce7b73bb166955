#if NIO
package import NIOCore
import Synchronization

/// Notes that a connection's peer has closed its end: what a channel that allows half closure does not say later.
package final class PeerWatch: ChannelInboundHandler, Sendable {
    package typealias InboundIn = Any

    private let closed = Atomic(false)

    package init() {}

    var hasPeerClosed: Bool { closed.load(ordering: .relaxed) }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { closed.store(true, ordering: .relaxed) }
        context.fireUserInboundEventTriggered(event)
    }
}
#endif
