#if Hummingbird
public import HTTPTypes
public import Hummingbird
public import HummingbirdCore

/// Routes with middleware of their own, to be added to a ``RequestStoreRouter`` or one of its groups: Hummingbird's
/// `RouteCollection`, which also sees what its routes throw before any middleware does.
///
/// ```swift
/// struct NotesController {
///     var routes: RequestStoreRouteCollection<AppContext> {
///         RequestStoreRouteCollection(context: AppContext.self)
///             .add(middleware: RequireUser())
///             .get(":id", use: note)
///     }
/// }
/// router.addRoutes(NotesController().routes, atPath: "notes")
/// ```
public final class RequestStoreRouteCollection<Context: RequestContext>: RouterMethods {
    let base: RouteCollection<Context>
    let hidden = HiddenRoutes()

    /// Makes an empty collection.
    ///
    /// - Parameter context: The type of the requests' context.
    public init(context: Context.Type = BasicRequestContext.self) {
        base = RouteCollection(context: context)
    }

    /// Adds a route.
    ///
    /// - Parameters:
    ///   - path: The path below that of the collection.
    ///   - method: The method.
    ///   - responder: Makes the response.
    @discardableResult
    public func on<Responder: HTTPResponder>(
        _ path: RouterPath,
        method: HTTPRequest.Method,
        responder: Responder
    ) -> Self where Responder.Context == Context {
        hidden.look(at: responder, path, method)
        _ = base.on(path, method: method, responder: Endpoint(base: responder, hasOnePath: false))
        return self
    }

    /// Adds middleware for the routes of the collection that are added after it.
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
}
#endif
