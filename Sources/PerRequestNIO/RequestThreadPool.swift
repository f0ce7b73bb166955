#if NIO
public import NIOCore
public import NIOPosix
public import PerRequest

/// A thread pool that runs what it is given with a request's store current: for calls that block.
///
/// ```swift
/// let page = try await threadPool.inRequestStore.runIfActive { try render(for: Current.user.require()) }
/// ```
///
/// **Lifetime.** It does not hold the request open: what runs after the request sees its store closed and empty.
///
/// **Isolation.** Bodies run on a thread of the pool and may block it.
public struct RequestThreadPool: Sendable {
    /// The pool itself, on whose threads no store is current.
    public let threadPool: NIOThreadPool

    /// The store that the bodies see.
    public let snapshot: RequestSnapshot

    /// Makes what a pool runs see a store.
    ///
    /// - Parameters:
    ///   - threadPool: The pool.
    ///   - snapshot: The store; the current one by default.
    public init(_ threadPool: NIOThreadPool, in snapshot: RequestSnapshot = RequestSnapshot()) {
        self.threadPool = threadPool
        self.snapshot = snapshot
    }

    /// Runs `body` on a thread of the pool, or, where the pool has been shut down, somewhere else: the state says so.
    public func submit(_ body: @escaping @Sendable (NIOThreadPool.WorkItemState) -> Void) {
        threadPool.submit(snapshot.wrap(body))
    }

    /// Runs `body` on a thread of the pool.
    ///
    /// - Returns: A future of what `body` returns or throws; it fails where the pool has been shut down.
    public func runIfActive<Value>(
        eventLoop: any EventLoop,
        _ body: @escaping @Sendable () throws -> Value
    ) -> RequestFuture<Value> {
        RequestFuture(threadPool.runIfActive(eventLoop: eventLoop, snapshot.wrap(body)), in: snapshot)
    }

    /// Runs `body` on a thread of the pool, and waits for it.
    ///
    /// - Throws: What `body` throws. A `CancellationError` if the task is cancelled before the body starts, or the pool
    ///   has been shut down.
    public func runIfActive<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await threadPool.runIfActive(snapshot.wrap(body))
    }
}

extension NIOThreadPool {
    /// This pool, running what it is given with the store current that is so here.
    public var inRequestStore: RequestThreadPool { RequestThreadPool(self) }

    /// This pool, running what it is given with a store current that was so before.
    public func inRequestStore(of snapshot: RequestSnapshot) -> RequestThreadPool {
        RequestThreadPool(self, in: snapshot)
    }
}
#endif
