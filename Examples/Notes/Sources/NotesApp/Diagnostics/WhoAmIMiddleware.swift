import Hummingbird
import PerRequest

/// Uses the database before the handler does, and keeps what it saw.
struct WhoAmIMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        try await Current.clientIDInMiddleware.set(Current.client.get().id)
        return try await next(request, context)
    }
}
