#if GRPC
import NIOCore
import NIOPosix
import Synchronization

/// A TCP relay between a client and a server, which can cut the connection between them.
final class Relay: Sendable {
    private let channels = Mutex<[any Channel]>([])

    /// Listens on a free port of the loopback interface and forwards to `port`.
    func start(to port: Int) async throws -> Int {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { client in
                let toServer = ClientBootstrap(group: client.eventLoop).connectTimeout(.minutes(2))
                    .connect(host: "127.0.0.1", port: port)
                return toServer.flatMapThrowing { server in
                    self.channels.withLock { $0 += [client, server] }
                    try client.pipeline.syncOperations.addHandler(Forwarder(to: server))
                    try server.pipeline.syncOperations.addHandler(Forwarder(to: client))
                }.flatMap { client.setOption(.autoRead, value: true) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        channels.withLock { $0.append(listener) }
        return listener.localAddress?.port ?? 0
    }

    /// Cuts every connection, by a reset or the ordinary way, and accepts no more.
    func cut(reset: Bool) async throws {
        for channel in channels.withLock({ $0 }) {
            if reset, let options = channel as? any SocketOptionProvider {
                try? await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
            }
            try? await channel.close()
        }
    }
}

private final class Forwarder: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let target: any Channel

    init(to target: any Channel) { self.target = target }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        target.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { target.close(promise: nil) }
}
#endif
