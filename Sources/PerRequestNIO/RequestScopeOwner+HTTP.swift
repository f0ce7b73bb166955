#if NIO
public import NIOCore
import PerRequest
public import PerRequestAdapters

extension RequestScopeOwner {
    /// Runs a responder that returns a future, notes its error, and settles: what comes out is the response to write.
    ///
    /// For the outermost place of a framework that thinks in futures, such as Vapor, which begins to write where the future
    /// of the response completes. If the response is streamed, the store is current there, and this owner, so that a task which
    /// the framework starts to write the body holds the request open. If not, no store is current there: when all is
    /// written, a server may come to the connection's next request then and there.
    ///
    /// ```swift
    /// return owner.httpResponse(on: request.eventLoop) {
    ///     base.respond(to: request)
    /// } status: { response in
    ///     Int(response.status.code)
    /// } isStreamed: { response in
    ///     response.body.count < 0
    /// } failure: { _, code in
    ///     Response(status: .init(statusCode: code))
    /// }.map { response in
    ///     response.storage[OwnerKey.self] = owner
    ///     return response
    /// }
    /// ```
    ///
    /// **Isolation.** Everything but releases runs on the event loop. A request that has nothing to release takes no task.
    ///
    /// - Parameters:
    ///   - eventLoop: The request's event loop.
    ///   - responder: Makes the response. An error rolls the request back.
    ///   - status: The HTTP status code of a response; from 500 on the request is rolled back.
    ///   - isStreamed: Whether the body of a response is made while it is written.
    ///   - failure: Makes a response of an error and a code. The error is that of the responder's future, with the code
    ///     500, or 503 where a resource could not be acquired in time. Or it is the `RequestReleaseError` of a commit
    ///     that failed, with 500, or 503 where it did not end in time.
    /// - Returns: A future of the response to write, on that event loop. It never fails.
    public func httpResponse<Response: Sendable>(
        on eventLoop: any EventLoop,
        from responder: @escaping @Sendable () -> EventLoopFuture<Response>,
        status: @escaping @Sendable (Response) -> Int,
        isStreamed: @escaping @Sendable (Response) -> Bool,
        failure: @escaping @Sendable (any Error, Int) -> Response
    ) -> EventLoopFuture<Response> {
        let promise = eventLoop.makePromise(of: Response.self)
        let snapshot = RequestSnapshot(scope.store)
        // The server may have come here while it wrote the response before this one.
        let response = Self.withoutCurrent { snapshot.respond(on: eventLoop, by: responder) }
        response.whenComplete { [self] result in
            let response: Response
            switch result {
            case .success(let made): response = made
            case .failure(let error): response = snapshot.run { failure(error, RequestScope.httpCode(of: error)) }
            }
            scope.settle(status: .http(status(response)), on: eventLoop).whenSuccess { [self] settlement in
                let written = snapshot.run {
                    settlement.failure.map { failure($0, settlement.httpCode) } ?? response
                }
                if isStreamed(written) {
                    run { promise.succeed(written) }
                } else {
                    Self.withoutCurrent { withoutRequestStore { promise.succeed(written) } }
                }
            }
        }
        return promise.futureResult
    }
}
#endif
