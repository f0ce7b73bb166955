#if FlyingFox
import PerRequest
import PerRequestAdapters

/// The owner of the scope of something that FlyingFox runs after the handler has returned: a streamed body, a socket.
///
/// FlyingFox drops it without a word when the client has gone, and then the request counts as abandoned.
extension RequestScopeOwner {
    convenience init(afterHandlerOf scope: RequestScope, status: RequestStatus? = nil) {
        self.init(scope, status: status, endingIfDropped: .abandoned)
    }

    /// Makes the next element with the store current; closes the scope where there is none, and where that throws.
    ///
    /// The owner is not made current: a task that makes elements is no reason to wait for the next pull.
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
}
#endif
