#if Hummingbird
public import PerRequestAdapters

extension RequestStoreServer {
    /// What PerRequest promises and cannot hold with Hummingbird; ``RequestStoreRouter/unmetGuarantees`` adds the routes that
    /// are hidden from it.
    public static let unmetGuarantees = [
        UnmetGuarantee(
            rule: 2,
            in: .handler,
            .partly,
            """
            The handler of a WebSocket runs outside the scope of its upgrade request and has no store: it needs a \
            `withRequestStore` of its own.
            """
        ),
        UnmetGuarantee(
            rule: 15,
            in: .middleware,
            .partly,
            """
            A middleware that makes a response of a handler's error hides it in a RouterBuilder, and in a group or collection \
            of Hummingbird's own that code makes which does not know RequestStoreRouter: the router lists those routes and \
            logs them at start.
            """
        ),
        UnmetGuarantee(
            rule: 19,
            in: .clientLeaving,
            .partly,
            """
            A client that leaves is seen when its upload breaks off, when its response cannot be written, and in \
            `consumeWithCancellationOnInboundClose`: Hummingbird ends no other handler whose client has gone, and a response \
            that the system still took counts as written.
            """
        ),
        UnmetGuarantee(
            rule: 19,
            in: .clientLeaving,
            .partly,
            """
            A client that has ended its sending and reads on counts as gone where its request throws a CancellationError or \
            an error of a connection: a server sees the same of both. A connection of HTTP/2 that is reset may cancel its \
            requests, which then count as cancelled.
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
