#if Hummingbird
import HTTPTypes
import Hummingbird
import PerRequest

extension RequestStore {
    /// Tells observers that a request has come to the application, whose route is not known yet.
    func routing(_ request: Request) {
        guard RequestEvent.isObserved else { return }
        serving(RequestEvent.Served(request, route: nil))
        enter(.routing)
    }

    /// The same, of a router that knows the route only when it has answered.
    func routed(_ request: Request, _ context: some RequestContext) {
        guard RequestEvent.isObserved, let route = context.endpointPath, route != "NotFound" else { return }
        serving(RequestEvent.Served(request, route: route))
    }
}

extension RequestEvent.Served {
    /// - Parameter route: The template of the route, as the router has it.
    init(_ request: Request, route: String?) {
        self.init(transport: "http", method: request.method.rawValue, route: route)
    }
}
#endif
