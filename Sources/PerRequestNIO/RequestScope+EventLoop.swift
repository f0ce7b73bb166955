#if NIO
public import NIOCore
public import PerRequest
public import PerRequestAdapters

extension RequestScope {
    /// Settles the scope, for a `ChannelHandler`: the form that gives a future.
    ///
    /// A handler opens a scope at a request's head, runs its callbacks by ``PerRequest/RequestSnapshot``, settles before
    /// it writes the response's head, and closes when the last byte was written or the channel became inactive.
    ///
    /// **Isolation.** The releases run in a task, not on the event loop. Where there are none, it takes no task, and on
    /// the event loop the future is complete at once.
    ///
    /// - Parameters:
    ///   - status: The status the handler intends.
    ///   - eventLoop: Where the future completes.
    /// - Returns: A future of whether that response may be written. It never fails.
    public func settle(
        status: RequestStatus? = nil,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<RequestSettlement> {
        if let settlement = settleAtOnce(status: status) { return eventLoop.makeSucceededFuture(settlement) }
        return eventLoop.makeFutureWithTask { await self.settle(status: status) }
    }

    /// Closes the scope, for a `ChannelHandler`: the form that gives a future.
    ///
    /// **Isolation.** The releases run in a task, not on the event loop. A request that holds nothing, and that nobody
    /// observes, takes no task, and on the event loop the future is complete at once.
    ///
    /// - Parameters:
    ///   - ending: How the request ended; a cause that was noted before wins over it.
    ///   - status: The status that was written, where it differs from the settled one.
    ///   - eventLoop: Where the future completes.
    /// - Returns: A future of what became of the request. It never fails.
    @discardableResult
    public func close(
        _ ending: RequestOutcome.Ending = .completed,
        status: RequestStatus? = nil,
        on eventLoop: any EventLoop
    ) -> EventLoopFuture<RequestOutcome> {
        if let outcome = closeAtOnce(ending, status: status) { return eventLoop.makeSucceededFuture(outcome) }
        return eventLoop.makeFutureWithTask { await self.close(ending, status: status) }
    }
}
#endif
