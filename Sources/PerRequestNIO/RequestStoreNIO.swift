#if NIO
public import PerRequestAdapters

/// The adapter for raw SwiftNIO: what it cannot hold.
///
/// NIO has no requests. A server's own loop opens their scopes with ``withRequestScope(on:id:limits:observers:report:background:_:)``,
/// and its callbacks carry the store with `inRequestStore`.
public enum RequestStoreNIO {
    /// What PerRequest promises and cannot hold with raw SwiftNIO.
    public static let unmetGuarantees = [
        UnmetGuarantee(
            rule: 1,
            in: .commit,
            .partly,
            """
            The server decides when it writes: a head that is written before the scope is settled has promised a success \
            that may not happen.
            """
        ),
        UnmetGuarantee(
            rule: 3,
            in: .callbacks,
            .partly,
            """
            No store is current in the callbacks of a plain EventLoopFuture, in ChannelHandlers, and in what an event loop \
            or a thread pool runs: carry it there with `inRequestStore` or a RequestSnapshot.
            """
        ),
        UnmetGuarantee(
            rule: 19,
            in: .clientLeaving,
            .partly,
            """
            A client that leaves is seen when the server writes, or when its code throws an error of the connection: NIO \
            does not end a request that only computes.
            """
        ),
        UnmetGuarantee(
            rule: 19,
            in: .clientLeaving,
            .partly,
            """
            On a channel that allows half closure, a client that has ended its sending and reads on counts as gone where its \
            request throws a CancellationError or an error of a connection; over anything but plain TCP, one that has closed \
            the ordinary way counts as there.
            """
        ),
        UnmetGuarantee(
            rule: 22,
            in: .callbacks,
            .partly,
            "Closing on an event loop starts a task for a request that is observed, also for one that uses nothing."
        ),
    ]
}
#endif
