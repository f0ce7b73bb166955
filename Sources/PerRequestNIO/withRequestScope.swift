#if NIO
public import NIOCore
public import PerRequest
public import PerRequestAdapters

/// Opens a scope for one request of a connection, runs `body` with its store current, and closes it: for the loop of a
/// server on a `NIOAsyncChannel`.
///
/// ```swift
/// try await channel.executeThenClose { inbound, outbound in
///     for try await part in inbound {
///         guard case .head(let head) = part else { continue }
///         try await withRequestScope(on: channel.channel) { scope in
///             let response = await scope.httpResponse {
///                 try await handle(head)
///             } status: { response in
///                 Int(response.status.code)
///             } failure: { error, status in
///                 Response(status: HTTPResponseStatus(statusCode: status))
///             }
///             try await outbound.write(contentsOf: response.parts)
///         }
///     }
/// }
/// ```
///
/// The store is a root, whatever store is current. It closes after `body` has returned or thrown: write the last byte of
/// the response in there. An upgrade ends its request; the messages of a socket open scopes of their own.
///
/// What else the scope can do is in the product `PerRequestAdapters`: import it for that.
///
/// **Cancellation.** `body` sees the cancellation of the calling task; releases do not.
///
/// - Parameters:
///   - channel: The connection. Where `body`, or the handler in it, throws, it tells a client that is gone from an error of
///     the same type that comes from elsewhere.
///   - id: The request's id in errors and reports; a number that is unique in the process by default.
///   - limits: How long the releases of the request may take in all.
///   - observers: See what the store does.
///   - report: Gets what went wrong and that no caller was told; `RequestReport.setHandler(_:)` by default. It is called
///     synchronously from any task or thread and must not block.
///   - background: Runs what the request leaves for after its response.
///   - body: Serves the request, in the caller's task and isolation. It settles the scope before it writes the response's
///     head: ``PerRequestAdapters/RequestScope/httpResponse(from:status:failure:)`` does.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws, unchanged. If the response was not settled then, the request is rolled back.
@discardableResult
public nonisolated(nonsending) func withRequestScope<Result>(
    on channel: any Channel,
    id: String? = nil,
    limits: RequestLimits = RequestLimits(),
    observers: [any RequestObserver] = [],
    report: (@Sendable (RequestReport) -> Void)? = nil,
    background: BackgroundWork? = nil,
    _ body: nonisolated(nonsending) (RequestScope) async throws -> Result
) async throws -> Result {
    let scope = RequestScope(id: id, limits: limits, observers: observers, report: report, background: background)
    scope.serve(channel)
    return try await scope.run { () async throws -> Result in
        let result: Result
        do {
            result = try await body(scope)
        } catch {
            let ending = await RequestOutcome.Ending(of: error, on: channel)
            scope.fail(as: ending)
            await scope.close(ending)
            throw error
        }
        await scope.close()
        return result
    }
}
#endif
