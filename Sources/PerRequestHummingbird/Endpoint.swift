#if Hummingbird
import HTTPTypes
import Hummingbird
import HummingbirdCore
import PerRequest
import PerRequestAdapters

/// What answers a route, within all middleware: what it throws is noted before anything can make a response of it.
struct Endpoint<Base: HTTPResponder>: HTTPResponder where Base.Context: RequestContext {
    // First: it is found without the type of what comes after it.
    private let last: LastServed
    let base: Base

    /// - Parameter hasOnePath: Whether it answers at one path only: where it is added is where it stays.
    init(base: Base, hasOnePath: Bool = true) {
        last = LastServed(isOfOneRoute: hasOnePath)
        self.base = base
    }

    @concurrent
    func respond(to request: Request, context: Base.Context) async throws -> Response {
        // Asking is cheap; finding the store costs.
        let observed = RequestEvent.isObserved ? begin(request, context) : nil
        do {
            let response = try await base.respond(to: request, context: context)
            observed?.enter(.routing)
            return response
        } catch {
            await Exchange.current?.failed(error)
            observed?.enter(.routing)
            throw error
        }
    }

    /// Says which route it is, and that its handler begins.
    ///
    /// - Returns: The request's store.
    @inline(never)
    private func begin(_ request: Request, _ context: Base.Context) -> RequestStore? {
        guard let store = Exchange.current?.store else { return nil }
        store.serving(last.served(request, route: context.endpointPath), in: .handler)
        return store
    }
}

/// A router's first middleware: notes what leaves the router, before Hummingbird makes a response of it.
///
/// It is there where anything but a route can throw: a request pays for each layer.
struct LeavingErrors<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            if !error.isOfNoRoute(context) { await Exchange.current?.failed(error) }
            throw error
        }
    }
}

extension Error {
    /// Whether it says that there is no route, and nothing else happened.
    func isOfNoRoute(_ context: some RequestContext) -> Bool {
        // Where there is one, Hummingbird puts its path here, which starts with a slash.
        context.endpointPath == "NotFound" && (self as? HTTPError)?.status == .notFound
    }
}

/// The routes whose responder may have middleware in it that is not known here, and whether there is any middleware.
///
/// Whoever adds routes is the only one to use it.
final class HiddenRoutes {
    /// Called before anything is added that can throw and is no route.
    private let willHaveMiddleware: (() -> Void)?
    private(set) var haveMiddleware = false

    init(willHaveMiddleware: (() -> Void)? = nil) { self.willHaveMiddleware = willHaveMiddleware }

    /// To be called before the middleware, or what else can throw, is added.
    func noteMiddleware() {
        guard !haveMiddleware else { return }
        haveMiddleware = true
        willHaveMiddleware?()
    }

    struct Route: Sendable {
        let method: HTTPRequest.Method
        let path: RouterPath
        /// The type of the responder.
        let responder: String
    }

    private(set) var routes: [Route] = []

    /// Notes the route if its responder is not the closure that was given for it: Hummingbird's groups and collections make
    /// their middleware a part of the responder.
    func look<Responder: HTTPResponder>(at responder: Responder, _ path: RouterPath, _ method: HTTPRequest.Method) {
        guard !(responder is CallbackResponder<Responder.Context>) else { return }
        noteMiddleware()
        routes.append(Route(method: method, path: path, responder: "\(Responder.self)"))
    }

    func add(_ others: HiddenRoutes, below path: RouterPath) {
        if others.haveMiddleware { noteMiddleware() }
        routes += others.routes.map { route in
            Route(method: route.method, path: path.appendingPath(route.path), responder: route.responder)
        }
    }
}

extension HiddenRoutes.Route {
    /// What does not hold for it, and what to do.
    private var explanation: String {
        """
        \(method) \(path) was added as a \(responder): a middleware in it that makes a response of the route's error hides that, \
        and the request commits. Make groups by `group` of RequestStoreRouter, collections as RequestStoreRouteCollection, and \
        a responder of your own a CallbackResponder.
        """
    }

    var guarantee: UnmetGuarantee { UnmetGuarantee(rule: 15, in: .middleware, .partly, explanation) }

    /// What the log says when the application starts.
    var warning: String { "PerRequest: \(explanation)" }
}
#endif
