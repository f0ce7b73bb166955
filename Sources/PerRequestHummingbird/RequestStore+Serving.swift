#if Hummingbird
import HTTPTypes
import Hummingbird
import PerRequest
import Synchronization

/// What the last request asked for: the next one mostly asks for the same, and none is made for that.
final class LastServed: Sendable {
    private struct Last: Sendable {
        let method: HTTPRequest.Method
        let served: RequestEvent.Served
    }

    private let last = Mutex<Last?>(nil)
    /// Whether all requests are of one route, or none of theirs is known.
    private let isOfOneRoute: Bool

    init(isOfOneRoute: Bool = true) { self.isOfOneRoute = isOfOneRoute }

    /// - Parameter route: The template of the route, as the router has it.
    func served(_ request: Request, route: @autoclosure () -> String? = nil) -> RequestEvent.Served {
        let known = last.withLock { $0 }
        if let known, known.method == request.method, isOfOneRoute || known.served.route == route() {
            return known.served
        }
        let served = RequestEvent.Served(transport: "http", method: request.method.rawValue, route: route())
        last.withLock { $0 = Last(method: request.method, served: served) }
        return served
    }
}

extension RequestStore {
    /// Tells observers that a request has come to the application, whose route is not known yet.
    func routing(_ request: Request, _ last: LastServed) {
        guard RequestEvent.isObserved else { return }
        serving(last.served(request), in: .routing)
    }

    /// The same, of a router that knows the route only when it has answered.
    func routed(_ request: Request, _ context: some RequestContext) {
        guard RequestEvent.isObserved, let route = context.endpointPath, route != "NotFound" else { return }
        serving(RequestEvent.Served(transport: "http", method: request.method.rawValue, route: route))
    }
}
#endif
