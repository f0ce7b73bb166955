#if NIO
import PerRequest
public import PerRequestAdapters

extension RequestScope {
    /// Runs a handler, notes what it throws, and settles: what comes out is the response to write.
    ///
    /// The store is not made current: that is what ``withRequestScope(on:id:limits:observers:report:background:_:)`` does. A
    /// scope of that one also tells what a handler throws because its client has left from its own errors.
    ///
    /// - Parameters:
    ///   - handler: Makes the response. What it throws rolls the request back.
    ///   - status: The HTTP status code of a response; from 500 on the request is rolled back.
    ///   - failure: Makes a response of an error and a code. The error is what `handler` threw, with the code 500, or 503
    ///     where a resource could not be acquired in time; the response it makes may have another one. Or it is the
    ///     `RequestReleaseError` of a commit that failed, with 500, or 503 where it did not end in time.
    /// - Returns: The handler's response, or what `failure` made.
    public nonisolated(nonsending) func httpResponse<Response>(
        from handler: nonisolated(nonsending) () async throws -> Response,
        status: (Response) -> Int,
        failure: (any Error, Int) -> Response
    ) async -> Response {
        let response: Response
        do {
            response = try await handler()
        } catch {
            await failed(error)
            response = failure(error, Self.httpCode(of: error))
        }
        let settlement = await settle(status: .http(status(response)))
        guard let error = settlement.failure else { return response }
        return failure(error, settlement.httpCode)
    }

    static func httpCode(of error: any Error) -> Int {
        if let error = error as? RequestStoreError, case .acquireTimedOut = error.reason { 503 } else { 500 }
    }
}

extension RequestSettlement {
    /// The code of the error that is written in place of the response.
    var httpCode: Int { if case .http(let code) = replacement { code } else { 500 } }
}
#endif
