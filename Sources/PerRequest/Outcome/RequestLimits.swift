/// The time that each release point of a request may take in all.
///
/// When a point has spent it, the request goes on: the response is written, the connection serves its next request. What
/// is left to release is released all the same, in order, off the request's path.
public struct RequestLimits: Hashable, Sendable {
    /// How long the releases before the response may take together.
    ///
    /// Then the response is replaced by an error: whether they took effect is unknown.
    public var beforeResponse: Duration

    /// How long the releases after the response may take together.
    public var afterResponse: Duration

    /// How long the next request on a connection waits for the releases after the response.
    ///
    /// Then they go on by themselves within ``afterResponse``, and a graceful shutdown waits for them. It is for servers that
    /// serve a connection's requests one after another in one task, and is Hummingbird's so far: elsewhere nobody waits, or
    /// the next request waits for ``afterResponse``.
    public var nextRequest: Duration

    /// Makes the limits of a request.
    ///
    /// - Parameters:
    ///   - beforeResponse: How long the releases before the response may take together.
    ///   - afterResponse: How long the releases after the response may take together.
    ///   - nextRequest: How long the next request on a connection waits for the releases after the response.
    public init(
        beforeResponse: Duration = .seconds(30),
        afterResponse: Duration = .seconds(30),
        nextRequest: Duration = .seconds(1)
    ) {
        self.beforeResponse = beforeResponse
        self.afterResponse = afterResponse
        self.nextRequest = nextRequest
    }
}
