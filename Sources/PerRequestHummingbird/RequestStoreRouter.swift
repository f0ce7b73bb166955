#if Hummingbird
public import HTTPTypes
public import Hummingbird
public import HummingbirdCore
public import PerRequestAdapters

/// Hummingbird's `Router` for an application whose requests have a store: what to give to
/// `Application(router:requestStore:)`.
///
/// ```swift
/// let router = RequestStoreRouter(context: AppContext.self)
/// router.add(middleware: LogRequestsMiddleware(.info))
/// router.get("notes/:id") { request, context in … }
/// let app = Application(router: router, requestStore: .http1())
/// ```
///
/// It sees what a route throws before any middleware does: a thrown error rolls its request back, whatever answers it, and in
/// whichever order middleware was added, here or to its groups. So does an error that leaves the router. A middleware's own
/// error that an outer middleware answers is that response; below 500 it commits. That there is no route for a request is
/// nobody's error.
///
/// Its groups and collections are a ``RequestStoreRouterGroup`` and a ``RequestStoreRouteCollection``. Code that makes
/// Hummingbird's own, such as a generic function over `RouterMethods`, hides the routes behind the middleware it adds there:
/// each such route is a warning in the log when the application starts, and in ``unmetGuarantees``.
///
/// **Isolation.** It is set up by one task before the application is made; nothing can be added after.
public final class RequestStoreRouter<Context: RequestContext>: RouterMethods {
    let base: Router<Context>
    let hidden: HiddenRoutes

    /// Makes a router.
    ///
    /// - Parameters:
    ///   - context: The type of the requests' context.
    ///   - options: Hummingbird's options.
    public init(context: Context.Type = BasicRequestContext.self, options: RouterOptions = []) {
        let base = Router(context: context, options: options)
        self.base = base
        hidden = HiddenRoutes { base.add(middleware: LeavingErrors()) }
    }

    /// The middleware of the router, the first of which is its own.
    public var middlewares: MiddlewareGroup<Context> {
        hidden.noteMiddleware()
        return base.middlewares
    }

    /// The routes that were added.
    public var routes: [Router<Context>.RouteDescription] { base.routes }

    /// What PerRequest promises and cannot hold in an application with this router:
    /// ``RequestStoreServer/unmetGuarantees``, and each route that is hidden from it.
    public var unmetGuarantees: [UnmetGuarantee] {
        RequestStoreServer.unmetGuarantees + hidden.routes.map(\.guarantee)
    }

    /// Throws where routes clash.
    public func validate() throws { try base.validate() }

    /// Adds a route.
    ///
    /// - Parameters:
    ///   - path: The path.
    ///   - method: The method.
    ///   - responder: Makes the response.
    @discardableResult
    public func on<Responder: HTTPResponder>(
        _ path: RouterPath,
        method: HTTPRequest.Method,
        responder: Responder
    ) -> Self where Responder.Context == Context {
        hidden.look(at: responder, path, method)
        base.on(path, method: method, responder: Endpoint(base: responder))
        return self
    }

    /// Adds middleware for the routes that are added after it.
    @discardableResult
    public func add(middleware: any MiddlewareProtocol<Request, Response, Context>) -> Self {
        hidden.noteMiddleware()
        base.add(middleware: middleware)
        return self
    }

    /// A group of routes below a path, with middleware of its own.
    public func group(_ path: RouterPath = "") -> RequestStoreRouterGroup<Context> {
        RequestStoreRouterGroup(base: base.group(path), path: path, hidden: hidden)
    }

    /// A group of routes whose context is made from this one's.
    public func group<Target>(
        _ path: RouterPath = "",
        context: Target.Type
    ) -> RequestStoreRouterGroup<Target> where Target.Source == Context {
        RequestStoreRouterGroup(base: base.group(path, context: context), path: path, hidden: hidden)
    }

    /// A group of routes whose context is made from this one's, or not: making it may throw.
    public func group<Target: ChildRequestContext>(
        _ path: RouterPath = "",
        context: Target.Type
    ) -> RequestStoreRouterGroup<Target> where Target.ParentContext == Context {
        hidden.noteMiddleware()
        return RequestStoreRouterGroup(base: base.group(path, context: context), path: path, hidden: hidden)
    }

    /// Adds the routes of a collection.
    @discardableResult
    public func addRoutes(_ collection: RequestStoreRouteCollection<Context>, atPath path: RouterPath = "") -> Self {
        hidden.add(collection.hidden, below: path)
        base.addRoutes(collection.base, atPath: path)
        return self
    }
}
#endif
