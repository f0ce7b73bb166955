#if Hummingbird
import HTTPTypes
public import Hummingbird
public import HummingbirdCore
import Logging
import NIOCore
import PerRequest

/// The responder of an application made with `Application(router:requestStore:)`: settles the request's store around the
/// router, where the response is known and not yet written.
public struct RequestStoreResponder<Base: HTTPResponder>: HTTPResponder where Base.Context: RequestContext {
    /// The context of the router's requests.
    public typealias Context = Base.Context

    private let base: Base
    private let server: RequestStoreServer
    /// Whether the router notes what its routes throw; else ``RequestStoreMiddleware`` has to.
    private let seesEndpoints: Bool
    let startUp = StartUp()
    private let last = LastServed()

    init(_ base: Base, server: RequestStoreServer, seesEndpoints: Bool) {
        self.base = base
        self.server = server
        self.seesEndpoints = seesEndpoints
        // A task that has outlived its request still has the exchange.
        PastRequests.setLookUp { number in
            Exchange.current.flatMap { $0.store.isNumbered(number) ? $0.store.id : nil }
        }
    }

    /// Responds by the router, then runs the releases of ``ReleasePoint/beforeResponse``.
    ///
    /// - Returns: The router's response, or the server's failure response where a release failed.
    /// - Throws: What the router throws, unchanged.
    public func respond(to request: Request, context: Context) async throws -> Response {
        if let exchange = Exchange.current, !exchange.store.isClosed,
            exchange.log.claim(logger: context.logger, seesEndpoints)
        {
            let response = try await respond(to: request, context: context, in: exchange)
            exchange.log.writes()
            exchange.store.enter(.body)
            return response
        }
        return try await respondWithoutChannel(to: request, context: context)
    }

    private func respond(
        to request: Request,
        context: Context,
        in exchange: Exchange
    ) async throws -> Response {
        let (store, log) = (exchange.store, exchange.log)
        store.routing(request, last)
        let response: Response
        do {
            response = try await base.respond(to: request, context: context)
        } catch {
            await exchange.failed(error)
            await settle(store, log, .internalServerError)
            throw error
        }
        if !seesEndpoints { store.routed(request, context) }
        guard log.areErrorsSeen else {
            let error = RequestStoreSetupError.middlewareDidNotRun(request: "\(request.method) \(request.uri.path)")
            context.logger.critical("\(error)")
            store.fail(error)
            await settle(store, log, .internalServerError)
            throw error
        }
        log.willWrite(response.status)
        if store.settlesAtOnce(status: .http(response.status.code)) { return response }
        let settlement = await settle(store, log, response.status)
        guard let error = settlement.failure else { return response }
        var status = HTTPResponse.Status.internalServerError
        if case .http(let code) = settlement.replacement { status = HTTPResponse.Status(code: code) }
        let failureResponse = server.failureResponse(error, response, status)
        log.willWrite(failureResponse.status)
        return failureResponse
    }

    @discardableResult
    private func settle(
        _ store: RequestStore,
        _ log: ExchangeLog,
        _ status: HTTPResponse.Status
    ) async -> StoreSettlement {
        log.settling()
        log.willWrite(status)
        let settlement = await store.settle(status: .http(status.code))
        log.settled()
        return settlement
    }
}

// MARK: - Without a channel

extension RequestStoreResponder {
    /// Opens a scope around the router alone, for `app.test(.router)` and for requests that the application sends
    /// through its own responder.
    ///
    /// It closes after the response's body; a body that nobody writes abandons it.
    private func respondWithoutChannel(to request: Request, context: Context) async throws -> Response {
        let log = ExchangeLog()
        _ = log.claim(logger: context.logger, seesEndpoints)
        let scope = StoreScope(sharing: server.configuration(for: request), reportingTo: log)
        let response: Response
        do {
            response = try await bound(scope.store, log) {
                try await respond(
                    to: request,
                    context: context,
                    in: Exchange(store: scope.store, log: log, channel: nil)
                )
            }
        } catch {
            _ = await bound(scope.store, log) { await scope.close(.failed(error), status: log.writtenStatus) }
            throw error
        }
        scope.store.enter(.body)
        guard response.body.contentLength != 0 else {
            _ = await bound(scope.store, log) { await scope.close(status: log.writtenStatus) }
            return response
        }
        var scoped = response
        scoped.body = ResponseBody(contentLength: response.body.contentLength) { writer in
            // The writer goes from this task to the body in this task: the one use of it.
            nonisolated(unsafe) let original = writer
            try await bound(scope.store, log) {
                do {
                    try await response.body.write(original)
                } catch {
                    log.writes()
                    log.bodyFailed(error, .failed(error))
                    await scope.close(.failed(error), status: log.writtenStatus)
                    throw error
                }
                await scope.close(status: log.writtenStatus)
            }
        }
        return scoped
    }

}
#endif
