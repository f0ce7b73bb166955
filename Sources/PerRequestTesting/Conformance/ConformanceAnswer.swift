public import PerRequest

/// A response as a client read it.
public struct ConformanceAnswer: Hashable, Sendable {
    /// The status; `nil` in a protocol that has none.
    public let status: RequestStatus?

    /// Whether the client takes it for a success.
    public let isSuccess: Bool

    /// The body.
    public let body: String

    /// Makes an answer.
    ///
    /// - Parameters:
    ///   - status: The status; `nil` in a protocol that has none.
    ///   - isSuccess: Whether the client takes it for a success.
    ///   - body: The body.
    public init(status: RequestStatus?, isSuccess: Bool, body: String) {
        self.status = status
        self.isSuccess = isSuccess
        self.body = body
    }

    /// Makes the answer of an HTTP response.
    ///
    /// - Parameters:
    ///   - code: The status code.
    ///   - body: The body.
    public init(httpCode code: Int, body: String) {
        self.init(status: .http(code), isSuccess: 200..<300 ~= code, body: body)
    }
}
