#if Hummingbird
public import Hummingbird
public import HummingbirdCore
import Logging
import PerRequest

/// Tells the request's store what the routes of a `RouterBuilder` throw, before Hummingbird makes a response of it.
///
/// A thrown error rolls the request back, whatever its status; a returned response below 500 commits. The two can only be
/// told apart inside the router. A ``RequestStoreRouter`` does that by itself; in a `RouterBuilder` this comes before every
/// other middleware and every route:
///
/// ```swift
/// RouterBuilder(context: AppContext.self) {
///     RequestStoreMiddleware()
///     …
/// }
/// ```
///
/// A middleware after it that turns errors into responses hides them: let that one call
/// `RequestStore.current?.fail(error)`.
///
/// It needs `Application(router:requestStore:)`; without it every request fails with a ``RequestStoreSetupError``.
public struct RequestStoreMiddleware<Context: RequestContext>: RouterMiddleware {
    /// Makes the middleware.
    public init() {}

    /// Calls the next middleware and notes what it throws.
    ///
    /// The error leaves unchanged.
    public func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let exchange = Exchange.current else {
            let error = RequestStoreSetupError.noScope
            context.logger.critical("\(error)")
            throw error
        }
        // A router that sees its routes knows better: what another middleware answers never happened.
        guard exchange.log.middlewareRan() else { return try await next(request, context) }
        do {
            return try await next(request, context)
        } catch {
            if !error.isOfNoRoute(context) { await exchange.failed(error) }
            throw error
        }
    }
}
#endif
