#if FlyingFox
import FlyingFox
import PerRequest
import PerRequestAdapters
import Synchronization

/// A WebSocket handler whose socket has a store of its own.
struct ScopedWebSocket: WSHandler {
    let base: any WSHandler
    let options: ScopeOptions

    func makeFrames(for client: AsyncThrowingStream<WSFrame, any Error>) async throws -> AsyncStream<WSFrame> {
        let scope = options.openScope()
        let frames: AsyncStream<WSFrame>
        do {
            frames = try await scope.run { try await base.makeFrames(for: client) }
        } catch {
            scope.fail(error)
            await scope.close()
            throw error
        }
        let socket = Socket(frames, owner: RequestScopeOwner(afterHandlerOf: scope))
        return AsyncStream { await socket.next() }
    }
}

/// The frames that a server sends, made with the store of the socket current.
///
/// One task pulls them, one after the other: FlyingFox's connection.
private final class Socket: @unchecked Sendable {
    private var frames: AsyncStream<WSFrame>.Iterator
    private let owner: RequestScopeOwner

    init(_ frames: AsyncStream<WSFrame>, owner: RequestScopeOwner) {
        self.frames = frames.makeAsyncIterator()
        self.owner = owner
    }

    func next() async -> WSFrame? {
        // Pulling a frame throws nothing.
        try? await owner.next { await frames.next() }
    }
}
#endif
