#if FlyingFox
public import PerRequestAdapters

extension RequestStoreHandler {
    /// What PerRequest promises and cannot hold with FlyingFox, which has no place around a whole request.
    public static let unmetGuarantees = [
        UnmetGuarantee(
            rule: 1,
            in: .releases,
            .partly,
            "The store of a request with a buffered body closes, with all its releases, before the response is written."
        ),
        UnmetGuarantee(
            rule: 1,
            in: .clientLeaving,
            .partly,
            """
            The store of a streamed body which FlyingFox drops closes in a task of its own, at some time after; nothing \
            waits for it, not even the server's stop.
            """
        ),
        UnmetGuarantee(
            rule: 2,
            in: .handler,
            .partly,
            "A route that is appended to the server itself, and not to the wrapped handler, has no store."
        ),
        UnmetGuarantee(
            rule: 3,
            in: .errorMapping,
            .wholly,
            """
            What runs outside the handler and the body's pulls, such as FlyingFox's mapping of errors and its logging, \
            does not see the store.
            """
        ),
        UnmetGuarantee(
            rule: 3,
            in: .streamedBody,
            .partly,
            """
            In a program that is built without reflection metadata nothing shows whether a body without a length comes \
            encoded: it is left as it is, and its store closes before it is written.
            """
        ),
        UnmetGuarantee(
            rule: 15,
            in: .commit,
            .partly,
            """
            A handler whose time limit passes while its releases run is answered with 500, although they may have \
            committed. Keep the limits of the releases below the server's.
            """
        ),
        UnmetGuarantee(
            rule: 19,
            in: .clientLeaving,
            .wholly,
            """
            A client that leaves is never told from other ends: with a buffered body the request counts as completed, \
            with a streamed one as abandoned, and where reading its upload throws, as failed.
            """
        ),
    ]
}
#endif
