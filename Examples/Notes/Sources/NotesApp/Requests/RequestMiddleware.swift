import HTTPTypes
import Hummingbird
import Logging
import PerRequest
import PerRequestTracing

/// Sets what every request has, and gives every response its ids: errors are turned into responses here.
struct RequestMiddleware<Context: RequestContext>: RouterMiddleware {
    let database: any DatabaseClients
    let mirror: Mirror?
    let baggage: RequestBaggage

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            try Current.requestID.set(context.id)
            try Current.database.set(database)
            try Current.mirror.set(mirror)
            // Who says it here is right; else it is what another process says.
            if let tenant = try Tenant.named(by: request) { try Current.tenant.set(tenant) }
            baggage.receive(request.headers[values: .baggage])
            response = try await next(request, context)
        } catch {
            // The store has seen what a route throws before: it is rolled back, also where this is a 409.
            let reply = ErrorReply(error)
            if reply.status.kind == .serverError {
                context.logger.error("The request failed", metadata: ["error": "\(error)"])
            }
            response = reply.response
        }
        response.headers.addRequestIDs()
        return response
    }
}
