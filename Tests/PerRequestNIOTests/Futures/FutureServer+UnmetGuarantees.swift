#if NIO
import PerRequestAdapters

extension FutureServer {
    /// What the adapter cannot hold.
    static let unmetGuarantees: [UnmetGuarantee] = [
        UnmetGuarantee(
            rule: 1,
            in: .releases,
            .partly,
            """
            The store closes in a task of its own after the last byte, where it holds anything or is observed: neither the \
            connection's next request nor the server's stop waits for it. A task that a streamed body leaves behind holds its \
            store open until it ends.
            """
        ),
        UnmetGuarantee(
            rule: 1,
            in: .streamedBody,
            .partly,
            """
            Where the framework does not hold the response until it is written, as Vapor does not over HTTP/2, the store of a \
            body that is written by callbacks closes early.
            """
        ),
        UnmetGuarantee(
            rule: 3,
            in: .handler,
            .partly,
            """
            A handler that is called from the future of the request's body sees the store only where RequestStoreMiddleware \
            comes last and has collected the body.
            """
        ),
        UnmetGuarantee(
            rule: 3,
            in: .middleware,
            .partly,
            """
            In the callbacks of a plain future, a middleware sees the store only if RequestStoreMiddleware comes somewhere \
            after it.
            """
        ),
        UnmetGuarantee(
            rule: 3,
            in: .callbacks,
            .partly,
            "No store is current in the callbacks of a plain EventLoopFuture: carry it there with `inRequestStore`."
        ),
        UnmetGuarantee(
            rule: 19,
            in: .streamedBody,
            .partly,
            """
            A streamed body that is not a `requestStream` counts as completed, however it ended: a transaction of its own \
            commits.
            """
        ),
        UnmetGuarantee(
            rule: 6,
            in: .nextRequest,
            .partly,
            """
            Where a streamed body is written at once by callbacks, a request that was pipelined after it may be served in \
            there: code of it that has no store of its own sees that of the request before.
            """
        ),
        UnmetGuarantee(
            rule: 19,
            in: .clientLeaving,
            .partly,
            """
            A client that leaves is seen where a `requestStream` cannot be written: with any other response its request counts \
            as completed. No handler is ended whose client has gone.
            """
        ),
    ]
}
#endif
