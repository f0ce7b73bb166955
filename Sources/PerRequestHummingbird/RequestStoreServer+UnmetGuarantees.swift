#if Hummingbird
public import PerRequest

extension RequestStoreServer {
    /// What PerRequest promises and cannot hold with Hummingbird.
    public static let unmetGuarantees = [
        UnmetGuarantee(
            rule: 15,
            in: .middleware,
            .partly,
            """
            A middleware that makes a response of a handler's error hides it, unless it was added before \
            RequestStoreMiddleware, or calls `RequestStore.current?.fail(error)`.
            """
        ),
        UnmetGuarantee(
            rule: 19,
            in: .clientLeaving,
            .partly,
            """
            A client that leaves is seen when the response is written: Hummingbird does not end a handler whose client \
            has gone.
            """
        ),
        UnmetGuarantee(
            rule: 20,
            in: .afterResponse,
            .partly,
            """
            A service that is added by `addServices` ends before the work that may need it: give the application those that \
            jobs use as `services:`.
            """
        ),
    ]
}
#endif
