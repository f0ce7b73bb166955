#if NIO
import NIOCore
import NIOHTTP1
import PerRequest
import PerRequestAdapters
import PerRequestNIO

// The adapter of the guide "Vapor and other future-style frameworks", word for word: a test compares them.

// begin
extension Application {
    /// Gives every request a store.
    ///
    /// To be called while nothing but `ErrorMiddleware` is in `middleware`.
    func useRequestStore(observers: [any RequestObserver] = [], background: BackgroundWork? = nil) {
        middleware.use(RequestStoreMiddleware())
        responder.use { app in
            RequestStoreResponder(base: app.responder.default, observers: observers, background: background)
        }
    }
}

/// The outermost place: Vapor begins to write where the future that comes out of it completes.
struct RequestStoreResponder: Responder {
    let base: any Responder
    let observers: [any RequestObserver]
    let background: BackgroundWork?

    func respond(to request: Request) -> EventLoopFuture<Response> {
        let logger = request.logger
        let owner = RequestScopeOwner(
            RequestScope(observers: observers, report: { logger.error("PerRequest: \($0)") }, background: background)
        )
        request.storage[StoreKey.self] = owner.scope.store  // not the owner: the request may outlive its response
        return owner.httpResponse(on: request.eventLoop) {
            base.respond(to: request)
        } status: { response in
            Int(response.status.code)
        } isStreamed: { response in
            response.body.count < 0
        } failure: { _, code in
            Response(status: .init(statusCode: code))
        }.map { response in
            response.storage[OwnerKey.self] = owner  // Vapor holds it until the last byte is written or cannot be
            return response
        }
    }
}

/// Tells the store of errors, and makes it current again for the plain futures of the middleware outside.
///
/// Also the last one, next to the routes, where a handler does not return a future of its own or is not `async`: Vapor calls
/// it from the future of the body, which is there at once only when it was collected before.
struct RequestStoreMiddleware: Middleware {
    var collects: Int?

    func respond(to request: Request, chainingTo next: any Responder) -> EventLoopFuture<Response> {
        guard let store = request.requestStore else { return next.respond(to: request) }
        return RequestSnapshot(store).respond(on: request.eventLoop) {
            guard let collects, request.body.data == nil else { return next.respond(to: request) }
            return request.body.collect(max: collects).inRequestStore.flatMap { _ in next.respond(to: request) }.future
        }
    }
}

extension Request {
    /// The request's store, for code that is called where it is not current.
    var requestStore: RequestStore? { storage[StoreKey.self] }
}

extension Response.Body {
    /// A streamed body whose end the outcome of its request tells: any other counts as completed.
    init(requestStream body: @escaping @Sendable (any AsyncBodyStreamWriter) async throws -> Void) {
        self.init(
            managedAsyncStream: { writer in
                // Vapor calls a body that it could not write once more, in no request.
                guard let owner = RequestScopeOwner.current else { return }
                do {
                    try await body(NotingWriter(base: writer, owner: owner))
                } catch {
                    owner.note(RequestOutcome.Ending(of: error, isConnectionDead: false))
                    throw error
                }
            },
            count: -1
        )
    }
}

/// Notes that the client has left, where a write fails.
private struct NotingWriter: AsyncBodyStreamWriter {
    let base: any AsyncBodyStreamWriter
    let owner: RequestScopeOwner

    func write(_ result: BodyStreamResult) async throws {
        do {
            try await base.write(result)
        } catch {
            owner.note(RequestOutcome.Ending(of: error, isConnectionDead: true))
            throw error
        }
    }
}

private struct StoreKey: StorageKey { typealias Value = RequestStore }
private struct OwnerKey: StorageKey { typealias Value = RequestScopeOwner }
// end
#endif
