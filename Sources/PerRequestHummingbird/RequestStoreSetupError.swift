#if Hummingbird
import Synchronization

/// A mistake in setting up the request store in a Hummingbird application.
@nonexhaustive
public enum RequestStoreSetupError: Error {
    /// ``RequestStoreMiddleware`` runs in an application that was not made with `Application(router:requestStore:)`.
    case noScope
    /// The router of an application made with `Application(router:requestStore:)` has no ``RequestStoreMiddleware``.
    case noMiddleware
    /// A route was added to the router before ``RequestStoreMiddleware``, so that its errors cannot be seen.
    case routeBeforeMiddleware(route: String)
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
        case .noMiddleware:
            """
            PerRequest: the router has no RequestStoreMiddleware, so that a handler's error could not roll back its \
            request. Add `router.add(middleware: RequestStoreMiddleware())` before every other middleware and route.
            """
        case .routeBeforeMiddleware(let route):
            """
            PerRequest: the route \(route) was added to the router before RequestStoreMiddleware, so that its errors \
            could not roll back its request. Add `router.add(middleware: RequestStoreMiddleware())` before every route.
            """
        }
    }
}

/// Marks the request that is sent through the router at start to find out whether the middleware is there.
final class SetupProbe: Sendable {
    @TaskLocal static var current: SetupProbe?

    private let reached = Atomic(false)

    var hasReachedMiddleware: Bool { reached.load(ordering: .relaxed) }

    func reachedMiddleware() { reached.store(true, ordering: .relaxed) }
}
#endif
