#if FlyingFox
import PerRequest
import Synchronization

/// Owns the scope of something that FlyingFox runs after the handler has returned: a streamed body, a socket.
///
/// FlyingFox drops it without a word when the client has gone. Then the scope is closed by a task: nothing else is told.
final class ScopeOwner: Sendable {
    private let scope: StoreScope
    private let status: RequestStatus?
    private let isClosed = Atomic(false)

    init(_ scope: StoreScope, status: RequestStatus?) {
        self.scope = scope
        self.status = status
    }

    deinit {
        guard !isClosed.load(ordering: .acquiring) else { return }
        let (scope, status) = (scope, status)
        Task.detached(name: "close request \(scope.store.id)") {
            await scope.close(.abandoned, status: status)
        }
    }

    /// Makes the next element with the store current; closes the scope where there is none, and where that throws.
    nonisolated(nonsending) func next<Element>(
        _ body: nonisolated(nonsending) () async throws -> Element?
    ) async throws -> Element? {
        try await scope.run { () async throws -> Element? in
            do {
                let element = try await body()
                if element == nil { await close(.completed) }
                return element
            } catch {
                await close(error is CancellationError && Task.isCancelled ? .cancelled : .failed(error))
                throw error
            }
        }
    }

    private nonisolated(nonsending) func close(_ ending: RequestOutcome.Ending) async {
        isClosed.store(true, ordering: .releasing)
        await scope.close(ending, status: status)
    }
}
#endif
