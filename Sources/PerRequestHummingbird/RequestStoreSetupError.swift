#if Hummingbird
/// A mistake in setting up the request store in a Hummingbird application.
@nonexhaustive
public enum RequestStoreSetupError: Error {
    /// ``RequestStoreMiddleware`` runs in an application that was not made with `Application(router:requestStore:)`.
    case noScope
    /// A request did not pass ``RequestStoreMiddleware``, in an application whose router is no ``RequestStoreRouter``.
    case middlewareDidNotRun(request: String)
}

extension RequestStoreSetupError: CustomStringConvertible {
    /// What is missing and where to add it.
    public var description: String {
        switch self {
        case .noScope:
            """
            PerRequest: RequestStoreMiddleware found no request store. Make the application with \
            `Application(router: router, requestStore: .http1())` in place of `Application(router: router)`.
            """
        case .middlewareDidNotRun(let request):
            """
            PerRequest: \(request) did not pass RequestStoreMiddleware, so that an error could not roll it back. Make the \
            router as a RequestStoreRouter; in a RouterBuilder, put RequestStoreMiddleware before every other middleware and \
            route.
            """
        }
    }
}
#endif
