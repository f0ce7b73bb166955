extension RequestEvent {
    /// What a request asks for, as its adapter knows it.
    public struct Served: Sendable, Hashable {
        /// What there is of it: made once, so that a copy costs little.
        private final class Details: Sendable {
            let transport: String
            let method: String
            let route: String?
            let utf8Count: Int

            init(_ transport: String, _ method: String, _ route: String?) {
                self.transport = transport
                self.method = method
                self.route = route
                utf8Count = transport.utf8.count + method.utf8.count + (route?.utf8.count ?? 0)
            }
        }

        private let details: Details

        /// The protocol, in small letters: `http`, `grpc`.
        public var transport: String { details.transport }

        /// The method; of an RPC, its name without the service's.
        public var method: String { details.method }

        /// The template of the route, such as `/notes/{id}`, or the service of an RPC: one of those that the application has.
        ///
        /// `nil` before it is known, and where there is none.
        public var route: String? { details.route }

        /// How many bytes of text it has.
        package var utf8Count: Int { details.utf8Count }

        /// Makes a description.
        ///
        /// - Parameters:
        ///   - transport: The protocol, in small letters.
        ///   - method: The method.
        ///   - route: The template of the route, never what a client has sent.
        public init(transport: String, method: String, route: String? = nil) {
            details = Details(transport, method, route)
        }

        /// Whether both ask for the same.
        public static func == (lhs: Served, rhs: Served) -> Bool {
            lhs.transport == rhs.transport && lhs.method == rhs.method && lhs.route == rhs.route
        }

        /// Hashes what is asked for.
        public func hash(into hasher: inout Hasher) {
            hasher.combine(transport)
            hasher.combine(method)
            hasher.combine(route)
        }
    }

    /// What a server does for a request; each phase lasts until the next one, or until the store has closed.
    @nonexhaustive
    public enum Phase: Sendable, Hashable {
        /// Finding out who answers the request, and what comes before and after the handler: middleware.
        case routing
        /// The handler.
        case handler
        /// The response is known: what has to be released before it is.
        case settling
        /// The response is written.
        case body
        /// What is left is released.
        case closing
    }
}
