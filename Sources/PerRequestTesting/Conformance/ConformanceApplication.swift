public import PerRequest
import PerRequestAdapters

/// What a server of the conformance suite serves: a check's handler, and the hooks of its middleware.
///
/// Every request goes through ``middlewareIn()``, ``handle(_:)`` and ``middlewareOut()``, in this order, the hooks in a
/// middleware or interceptor of the framework if it has any. A handler that throws is not followed by the last.
public struct ConformanceApplication: Sendable {
    /// To be given to the adapter.
    public let observer: any RequestObserver

    /// To be given to the adapter, where it takes one, and to be run for as long as the server.
    public let background: BackgroundWork

    let handler: @Sendable (String) async throws -> ConformanceReply
    let note: @Sendable (RequestCodePath, String) -> Void

    /// Handles a request.
    ///
    /// - Parameter request: The name that the client sent.
    /// - Returns: What to respond with.
    /// - Throws: What the framework has to make a response of: a ``ConformanceError``, or any other.
    public func handle(_ request: String) async throws -> ConformanceReply { try await handler(request) }

    /// Tells the suite that a middleware sees the request.
    public func middlewareIn() { note(.middleware, "in") }

    /// Tells the suite that a middleware sees the response.
    public func middlewareOut() { note(.middleware, "out") }
}
