#if FlyingFox
public import FlyingFox
public import PerRequest
import PerRequestAdapters

/// A handler that gives every request a store: wraps the one that does the work.
///
/// ```swift
/// var routes = RoutedHTTPHandler()
/// routes.appendRoute("/notes") { request in … }
/// let server = HTTPServer(port: 8080, handler: RequestStoreHandler(routes))
/// ```
///
/// Give the server all its routes this way: a route that is appended to the server itself comes with no store.
///
/// The store is a root. It settles when the handler has returned: below 500 it commits, and a handler that threw is rolled
/// back. FlyingFox has no place around a whole request, so that the rest depends on the body:
///
/// - **A buffered body**, or none: the store closes when the handler has returned, before the response is written.
/// - **A streamed body**: the store is current in every pull of it, and closes after its last byte was written, or where
///   it throws. Where FlyingFox drops it, because the client has gone or the server was stopped, the store is
///   closed by a task, as abandoned.
/// - **A WebSocket**: the request's store closes at the upgrade; the socket has one of its own, which is current in the
///   `WSHandler` and closes when the socket is closed.
///
/// What this is weaker in than the adapters for other servers is in ``unmetGuarantees``.
///
/// **Cancellation.** FlyingFox cancels a handler whose time limit has passed, and answers 500: the request is rolled back
/// whatever the handler returns then. The time limit includes the releases that run when the handler has returned.
public struct RequestStoreHandler: HTTPHandler {
    /// Makes the response that is sent in place of the handler's when releasing before the response failed.
    ///
    /// It gets the error, the response that the handler intended and must not be sent, and the status to send: 500 after
    /// a failure, 503 after an overrun. The store is current. The default is an empty response with that status.
    public typealias FailureResponse =
        @Sendable (RequestReleaseError, _ intended: HTTPResponse, HTTPStatusCode) -> HTTPResponse

    private let base: any HTTPHandler
    private let options: ScopeOptions
    private let failureResponse: FailureResponse

    /// Wraps a handler.
    ///
    /// - Parameters:
    ///   - base: The handler that does the work: the server's routes.
    ///   - limits: How long the releases of a request may take in all.
    ///   - observers: See what the requests' stores do.
    ///   - report: Gets what went wrong and that no caller was told; `RequestReport.setHandler(_:)` by default. It is
    ///     called synchronously from any task or thread and must not block.
    ///   - background: Runs what requests leave for after their response. The application runs it as a service.
    ///   - failureResponse: Makes the response that is sent where releasing before the response failed.
    public init(
        _ base: some HTTPHandler,
        limits: RequestLimits = RequestLimits(),
        observers: [any RequestObserver] = [],
        report: (@Sendable (RequestReport) -> Void)? = nil,
        background: BackgroundWork? = nil,
        failureResponse: @escaping FailureResponse = { _, _, status in HTTPResponse(statusCode: status) }
    ) {
        self.base = base
        self.failureResponse = failureResponse
        options = ScopeOptions(limits: limits, observers: observers, report: report, background: background)
    }

    /// Handles a request in a scope of its own.
    ///
    /// - Returns: The handler's response, its body wrapped if it is streamed, or the failure response where a release
    ///   failed.
    /// - Throws: What the handler throws, unchanged.
    public func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
        let scope = options.openScope()
        scope.store.serving(RequestEvent.Served(transport: "http", method: request.method.rawValue), in: .handler)
        return try await scope.run { () async throws -> HTTPResponse in
            var response: HTTPResponse
            do {
                response = try await base.handleRequest(request)
            } catch {
                scope.fail(error)
                // What FlyingFox makes of it.
                await scope.settle(status: .http(error is HTTPUnhandledError ? 404 : 500))
                await scope.close()
                throw error
            }
            // Then FlyingFox does not send the response.
            if Task.isCancelled { scope.fail(as: .cancelled) }
            let settlement = await scope.settle(status: .http(response.statusCode.code))
            if let error = settlement.failure {
                response = failureResponse(error, response, HTTPStatusCode(replacing: settlement.replacement))
            }
            return await finish(response, in: scope)
        }
    }

    /// Closes the scope, or gives it to the body of the response.
    private nonisolated(nonsending) func finish(_ response: HTTPResponse, in scope: RequestScope) async -> HTTPResponse
    {
        var response = response
        let status = RequestStatus.http(response.statusCode.code)
        switch response.payload {
        case .webSocket(let handler):
            await scope.close(status: status)
            response.payload = .webSocket(ScopedWebSocket(base: handler, options: options))
        case .httpBody(let body):
            scope.store.enter(.body)
            if let source = BodySource(of: body) {
                response.payload = .httpBody(
                    source.scoped(by: RequestScopeOwner(afterHandlerOf: scope, status: status))
                )
            } else {
                await scope.close(status: status)
            }
        }
        return response
    }
}

/// How the scopes of a server are opened.
struct ScopeOptions: Sendable {
    let limits: RequestLimits
    let observers: [any RequestObserver]
    let report: (@Sendable (RequestReport) -> Void)?
    let background: BackgroundWork?

    func openScope() -> RequestScope {
        RequestScope(limits: limits, observers: observers, report: report, background: background)
    }
}

extension HTTPStatusCode {
    /// The status in place of the one whose promise was not kept.
    fileprivate init(replacing status: RequestStatus?) {
        if case .http(503) = status { self = .serviceUnavailable } else { self = .internalServerError }
    }
}
#endif
