#if Hummingbird
import HTTPTypes
import Hummingbird
import PerRequest
import Synchronization

/// What a request asks for, made once as long as all ask for the same: as a rule, those of one route do.
final class LastServed: Sendable {
    private let last = Mutex<RequestEvent.Served?>(nil)

    /// - Parameter route: The template of the route, as the router has it.
    func served(_ request: Request, route: String? = nil) -> RequestEvent.Served {
        let method = request.method.rawValue
        return last.withLock { last in
            if let last, last.route == route, last.method == method { return last }
            let served = RequestEvent.Served(transport: "http", method: method, route: route)
            last = served
            return served
        }
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
