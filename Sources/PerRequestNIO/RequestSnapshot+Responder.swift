#if NIO
public import NIOCore
public import PerRequest

extension RequestSnapshot {
    /// Calls a responder that returns a future, with the store current: for a middleware of a framework that thinks in
    /// futures.
    ///
    /// ```swift
    /// func respond(to request: Request, chainingTo next: any Responder) -> EventLoopFuture<Response> {
    ///     request.requestSnapshot.respond(on: request.eventLoop) { next.respond(to: request) }
    /// }
    /// ```
    ///
    /// The error of a future that fails is told the store, so that the request is rolled back: put such a middleware inside of
    /// what makes a response of an error.
    ///
    /// The store is current again where the future that comes out completes: callbacks of plain futures that are chained on
    /// it run then and there, and see it, if they are on the same event loop. So it is with the middleware outside of
    /// this one. Inside of it nothing is promised for a callback of a plain future that completes later: where a responder
    /// has to wait, let it wait by `inRequestStore`, or put one of these around what it waits for.
    ///
    /// **Isolation.** `responder` is called on the event loop, at once where that is the caller's.
    ///
    /// - Parameters:
    ///   - eventLoop: The request's event loop.
    ///   - responder: Calls the next responder.
    /// - Returns: A future of the same result, on that event loop.
    public func respond<Response: Sendable>(
        on eventLoop: any EventLoop,
        by responder: @escaping @Sendable () -> EventLoopFuture<Response>
    ) -> EventLoopFuture<Response> {
        let promise = eventLoop.makePromise(of: Response.self)
        let response = eventLoop.inEventLoop ? run(responder) : eventLoop.flatSubmit(wrap(responder))
        response.hop(to: eventLoop).whenComplete { result in
            if case .failure(let error) = result { store?.fail(error) }
            run { promise.completeWith(result) }
        }
        return promise.futureResult
    }
}
#endif
