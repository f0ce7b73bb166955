#if Hummingbird
public import Hummingbird
public import HummingbirdCore
import Logging
import PerRequest

/// Tells the request's store what the handler threw, before Hummingbird makes a response of it.
///
/// A thrown error rolls the request back, whatever its status; a returned response below 500 commits. The two can only be
/// told apart inside the router. Add it before every other middleware and every route:
///
/// ```swift
/// router.add(middleware: RequestStoreMiddleware())
/// ```
///
/// A middleware that turns errors into responses hides them from it: add that one before it, or let it call
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
        if let probe = SetupProbe.current {
            probe.reachedMiddleware()
            return Response(status: .noContent)
        }
        guard let exchange = Exchange.current else {
            let error = RequestStoreSetupError.noScope
            context.logger.critical("\(error)")
            throw error
        }
        exchange.log.middlewareRan()
        do {
            return try await next(request, context)
        } catch {
            await exchange.failed(error)
            throw error
        }
    }
}
#endif
