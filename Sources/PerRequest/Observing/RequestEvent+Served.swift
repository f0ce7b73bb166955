extension RequestEvent {
    /// What a request asks for, as its adapter knows it.
    public struct Served: Sendable, Hashable {
        /// The protocol, in small letters: `http`, `grpc`.
        public var transport: String

        /// The method; of an RPC, its name without the service's.
        public var method: String

        /// The template of the route, such as `/notes/{id}`, or the service of an RPC: one of those that the application has.
        ///
        /// `nil` before it is known, and where there is none.
        public var route: String?

        /// Makes a description.
        ///
        /// - Parameters:
        ///   - transport: The protocol, in small letters.
        ///   - method: The method.
        ///   - route: The template of the route, never what a client has sent.
        public init(transport: String, method: String, route: String? = nil) {
            self.transport = transport
            self.method = method
            self.route = route
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
