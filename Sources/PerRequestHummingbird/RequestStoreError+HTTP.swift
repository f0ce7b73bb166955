#if Hummingbird
public import HTTPTypes
public import Hummingbird
public import HummingbirdCore
import Logging
public import PerRequest

/// Hummingbird's response to a store error that nobody caught: 503 where a resource could not be acquired in time or
/// work after the response was refused, 500 for a mistake.
extension RequestStoreError: HTTPResponseError {
    /// 503 or 500.
    public var status: HTTPResponse.Status {
        switch reason {
        case .acquireTimedOut, .backgroundWorkFull, .backgroundWorkNotRunning: .serviceUnavailable
        default: .internalServerError
        }
    }

    /// An empty response with the status: what went wrong is for the log.
    public func response(from request: Request, context: some RequestContext) throws -> Response {
        context.logger.error("The request failed", metadata: ["error": "\(self)"])
        return Response(status: status)
    }
}
#endif
