public import PerRequest
import Synchronization

/// Closes a request's scope when the last reference to it goes: for a framework without a place after the last byte.
///
/// What lives until the response is written, or cannot be, holds it: the response itself, a body's iterator, the task that
/// writes the body. How the request ended is noted before.
///
/// ```swift
/// let owner = RequestScopeOwner(RequestScope(limits: limits))
/// // … the handler; the scope is settled
/// response.storage[OwnerKey.self] = owner                 // held for as long as the response is
/// owner.run { framework.write(response) }                 // the tasks that start in here hold it, too
/// // in the body, where a write fails: `RequestScopeOwner.current?.note(.clientDisconnected)`
/// ```
///
/// **Lifetime.** It is the only one that holds the scope: what belongs to the request, such as a value in its store, must not
/// hold the owner, or the request never ends. The tasks of the store, which run its factories, releases and work after the
/// response, do not inherit it.
///
/// **Isolation.** It may be used from any task or thread, and dropped on any. A request that holds nothing then, and that
/// nobody observes, is closed there and then; any other in a task of its own, which nothing waits for.
public final class RequestScopeOwner: Sendable {
    private struct State {
        var ending: RequestOutcome.Ending?
        var isClosed = false
    }

    /// The scope.
    ///
    /// A copy of it must not outlive the owner.
    public let scope: RequestScope

    private let status: RequestStatus?
    private let endingIfDropped: RequestOutcome.Ending
    private let state = Lock(State())

    /// Makes the owner of a scope.
    ///
    /// - Parameters:
    ///   - scope: The scope.
    ///   - status: The status that is written, where it differs from the settled one.
    ///   - ending: How the request ended if no other ending was noted when the owner goes.
    public init(
        _ scope: RequestScope,
        status: RequestStatus? = nil,
        endingIfDropped ending: RequestOutcome.Ending = .completed
    ) {
        self.scope = scope
        self.status = status
        endingIfDropped = ending
    }

    deinit {
        let state = state.withLock { $0 }
        guard !state.isClosed else { return }
        let (scope, status, ending) = (scope, status, state.ending ?? endingIfDropped)
        guard scope.closeAtOnce(ending, status: status) == nil else { return }
        Task.detached(name: "close request \(scope.store.id)") { await scope.close(ending, status: status) }
    }

    /// Notes how the request ended: the first one counts.
    ///
    /// It does not close the scope, and does not change the verdict of a response that is settled: call `scope.fail(_:)`
    /// for what comes before.
    public func note(_ ending: RequestOutcome.Ending) {
        state.withLock { if $0.ending == nil { $0.ending = ending } }
    }

    /// Closes the scope now, where the end is known; nothing is left to do then when the owner goes.
    ///
    /// - Parameter ending: How the request ended; what was noted before wins over it.
    /// - Returns: What became of the request.
    @discardableResult
    public nonisolated(nonsending) func close(
        _ ending: RequestOutcome.Ending = .completed
    ) async -> RequestOutcome {
        let noted = state.withLock { state in
            state.isClosed = true
            return state.ending ?? ending
        }
        return await scope.close(noted, status: status)
    }
}

// MARK: - The current one

extension RequestScopeOwner {
    /// The owner that ``run(_:)-(()->Result)`` has made current, here or in a task that this one was started in.
    public static var current: RequestScopeOwner? { ScopeOwnership.current as? RequestScopeOwner }

    /// Runs `body` with the store current, and this owner: the tasks that start in there hold the request open.
    ///
    /// For the place where a framework begins to write. Not for the handler: a task that it leaves behind would hold its
    /// request open.
    ///
    /// - Throws: What `body` throws.
    public func run<Result>(_ body: () throws -> Result) rethrows -> Result {
        try ScopeOwnership.with(self, of: scope.store) { try RequestSnapshot(scope.store).run(body) }
    }

    /// Runs `body` with the store current, and this owner: the tasks that start in there hold the request open.
    ///
    /// - Throws: What `body` throws.
    public nonisolated(nonsending) func run<Result>(
        _ body: nonisolated(nonsending) () async throws -> Result
    ) async rethrows -> Result {
        try await ScopeOwnership.with(self, of: scope.store) { try await RequestSnapshot(scope.store).run(body) }
    }

    /// Runs `body` with no owner current: what starts in there holds nobody's request open.
    ///
    /// - Throws: What `body` throws.
    public static func withoutCurrent<Result>(_ body: () throws -> Result) rethrows -> Result {
        try ScopeOwnership.withNone(body)
    }
}
