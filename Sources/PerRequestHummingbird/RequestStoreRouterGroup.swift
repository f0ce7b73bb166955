#if Hummingbird
public import HTTPTypes
public import Hummingbird
public import HummingbirdCore

/// Routes of a ``RequestStoreRouter`` below a path, with middleware of their own: Hummingbird's `RouterGroup`, which also sees
/// what its routes throw before any middleware does.
///
/// The router makes it: `router.group("notes")`, and `router.group("notes", context: NotesContext.self)`.
public struct RequestStoreRouterGroup<Context: RequestContext>: RouterMethods {
    let base: RouterGroup<Context>
    package let path: RouterPath
    let hidden: HiddenRoutes

    /// Adds a route.
    ///
    /// - Parameters:
    ///   - path: The path below the group's.
    ///   - method: The method.
    ///   - responder: Makes the response.
    @discardableResult
    public func on<Responder: HTTPResponder>(
        _ path: RouterPath,
        method: HTTPRequest.Method,
        responder: Responder
    ) -> Self where Responder.Context == Context {
        hidden.look(at: responder, self.path.appendingPath(path), method)
        base.on(path, method: method, responder: Endpoint(base: responder))
        return self
    }

    /// Adds middleware for the routes of the group that are added after it.
    @discardableResult
    public func add(middleware: any MiddlewareProtocol<Request, Response, Context>) -> Self {
        hidden.noteMiddleware()
        base.add(middleware: middleware)
        return self
    }

    /// A group within the group.
    public func group(_ path: RouterPath = "") -> RequestStoreRouterGroup<Context> {
        RequestStoreRouterGroup(base: base.group(path), path: self.path.appendingPath(path), hidden: hidden)
    }

    /// A group within the group whose context is made from this one's.
    public func group<Target>(
        _ path: RouterPath = "",
        context: Target.Type
    ) -> RequestStoreRouterGroup<Target> where Target.Source == Context {
        let below = self.path.appendingPath(path)
        return RequestStoreRouterGroup<Target>(base: base.group(path, context: context), path: below, hidden: hidden)
    }

    /// A group within the group whose context is made from this one's, or not: making it may throw.
    public func group<Target: ChildRequestContext>(
        _ path: RouterPath = "",
        context: Target.Type
    ) -> RequestStoreRouterGroup<Target> where Target.ParentContext == Context {
        hidden.noteMiddleware()
        let below = self.path.appendingPath(path)
        return RequestStoreRouterGroup<Target>(base: base.group(path, context: context), path: below, hidden: hidden)
    }

    /// Adds the routes of a collection.
    @discardableResult
    public func addRoutes(_ collection: RequestStoreRouteCollection<Context>, atPath path: RouterPath = "") -> Self {
        hidden.add(collection.hidden, below: self.path.appendingPath(path))
        base.addRoutes(collection.base, atPath: path)
        return self
    }
}
#endif
