#if NIO
public import NIOCore
public import PerRequest

/// An event loop that runs what it is given with a request's store current.
///
/// ```swift
/// eventLoop.inRequestStore.execute { … }
/// let count = try await eventLoop.inRequestStore.submit { Current.hits.value }.get()
/// ```
///
/// **Lifetime.** It does not hold the request open: what runs after the request sees its store closed and empty.
///
/// **Isolation.** Bodies run on the event loop and must not block it.
public struct RequestEventLoop: Sendable {
    /// The event loop itself, on which no store is current.
    public let eventLoop: any EventLoop

    /// The store that the bodies see.
    public let snapshot: RequestSnapshot

    /// Makes what an event loop runs see a store.
    ///
    /// - Parameters:
    ///   - eventLoop: The event loop.
    ///   - snapshot: The store; the current one by default.
    public init(_ eventLoop: any EventLoop, in snapshot: RequestSnapshot = RequestSnapshot()) {
        self.eventLoop = eventLoop
        self.snapshot = snapshot
    }

    /// Runs `body` on the event loop.
    public func execute(_ body: @escaping @Sendable () -> Void) {
        eventLoop.execute(snapshot.wrap(body))
    }

    /// Runs `body` on the event loop.
    ///
    /// - Returns: A future of what `body` returns or throws.
    public func submit<Value>(_ body: @escaping @Sendable () throws -> Value) -> RequestFuture<Value> {
        RequestFuture(eventLoop.submit(snapshot.wrap(body)), in: snapshot)
    }

    /// Runs `body` on the event loop.
    ///
    /// - Returns: The future that `body` returns.
    public func flatSubmit<Value>(_ body: @escaping @Sendable () -> EventLoopFuture<Value>) -> RequestFuture<Value> {
        RequestFuture(eventLoop.flatSubmit(snapshot.wrap(body)), in: snapshot)
    }

    /// Runs `body` on the event loop after a delay.
    ///
    /// - Returns: What cancels it, and a future of what `body` returns or throws.
    public func scheduleTask<Value: Sendable>(
        in delay: TimeAmount,
        _ body: @escaping @Sendable () throws -> Value
    ) -> Scheduled<Value> {
        eventLoop.scheduleTask(in: delay, snapshot.wrap(body))
    }
}

extension EventLoop {
    /// This event loop, running what it is given with the store current that is so here.
    public var inRequestStore: RequestEventLoop { RequestEventLoop(self) }

    /// This event loop, running what it is given with a store current that was so before.
    public func inRequestStore(of snapshot: RequestSnapshot) -> RequestEventLoop {
        RequestEventLoop(self, in: snapshot)
    }
}
#endif
