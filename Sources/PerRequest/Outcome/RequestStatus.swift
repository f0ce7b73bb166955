/// The status of a response, as the protocol numbers it.
@nonexhaustive
public enum RequestStatus: Hashable, Sendable {
    /// An HTTP status code.
    case http(Int)

    /// A gRPC status code; 0 is OK.
    case grpc(Int)

    /// Whether a request that ends with this status is rolled back.
    ///
    /// HTTP: 500 and above. gRPC: everything but OK.
    public var isFailure: Bool {
        switch self {
        case .http(let code): code >= 500
        case .grpc(let code): code != 0
        }
    }

    /// The status that takes the place of this one when the success it promised did not happen.
    func replaced(by response: Lifecycle.Response) -> RequestStatus? {
        switch (self, response) {
        case (_, .asIntended): nil
        case (.http, .failed): .http(500)
        case (.http, .overran): .http(503)
        case (.grpc, .failed): .grpc(13)
        case (.grpc, .overran): .grpc(14)
        }
    }
}

extension RequestStatus: CustomStringConvertible {
    /// The protocol and the code, such as `HTTP 404`.
    public var description: String {
        switch self {
        case .http(let code): "HTTP \(code)"
        case .grpc(let code): "gRPC \(code)"
        }
    }
}
