import NIOCore
import NIOPosix
import Synchronization

/// A proxy before a server that holds back the server's answers from the moment at which a client has sent a given text.
final class HoldingProxy: Sendable {
    private struct State {
        var text: String?
        var isHolding = false
        var released: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let held: AsyncStream<Void>
    private let hold: AsyncStream<Void>.Continuation

    private init() {
        (held, hold) = AsyncStream.makeStream()
    }

    /// Runs a proxy for the server at `port` while `body` runs.
    static func run<Result: Sendable>(
        to port: Int,
        _ body: (HoldingProxy, _ port: Int) async throws -> Result
    ) async throws -> Result {
        let proxy = HoldingProxy()
        let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0, childChannelInitializer: Self.wrap)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try await server.executeThenClose { clients in
                    try await withThrowingDiscardingTaskGroup { connections in
                        for try await client in clients {
                            // A connection that breaks is no concern of the others.
                            connections.addTask { try? await proxy.serve(client, port) }
                        }
                    }
                }
            }
            defer { tasks.cancelAll() }
            return try await body(proxy, server.channel.localAddress!.port!)
        }
    }

    /// Holds back what is answered to the next message that has `text` in it, and everything after it.
    func hold(at text: String) {
        state.withLock { $0.text = text }
    }

    /// Returns when the text has gone to the server.
    func untilHeld() async {
        for await _ in held { return }
    }

    func release() {
        let waiting = state.withLock { state in
            state.isHolding = false
            defer { state.released = [] }
            return state.released
        }
        for continuation in waiting { continuation.resume() }
    }

    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    @Sendable
    private static func wrap(_ channel: any Channel) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
    }

    private func serve(_ client: Connection, _ port: Int) async throws {
        try await client.executeThenClose { fromClient, toClient in
            let server = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connect(host: "127.0.0.1", port: port, channelInitializer: Self.wrap)
            try await server.executeThenClose { fromServer, toServer in
                await withTaskGroup { group in
                    group.addTask {
                        do {
                            for try await bytes in fromClient {
                                let isHeld = self.isHeld(bytes)
                                try await toServer.write(bytes)
                                if isHeld { self.hold.yield() }
                            }
                        } catch {}
                        toServer.finish()
                    }
                    group.addTask {
                        do {
                            for try await bytes in fromServer {
                                await self.pass()
                                try await toClient.write(bytes)
                            }
                        } catch {}
                        toClient.finish()
                    }
                    // Whoever ends first ends the connection.
                    await group.next()
                    group.cancelAll()
                }
            }
        }
    }

    private func isHeld(_ bytes: ByteBuffer) -> Bool {
        state.withLock { state in
            guard let text = state.text, String(buffer: bytes).contains(text) else { return false }
            state.text = nil
            state.isHolding = true
            return true
        }
    }

    private func pass() async {
        await withCheckedContinuation { continuation in
            let isHolding = state.withLock { state in
                if state.isHolding { state.released.append(continuation) }
                return state.isHolding
            }
            if !isHolding { continuation.resume() }
        }
    }
}
