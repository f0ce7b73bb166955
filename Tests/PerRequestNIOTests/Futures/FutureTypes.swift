#if NIO
import NIOCore
import NIOHTTP1
import PerRequest
import Synchronization

// A server of the shape of Vapor 4.122, with its names: responders and middleware that return futures, handlers that are
// called from the future of the request's body, bodies that are written when the responder's future has completed.

protocol Responder: Sendable {
    func respond(to request: Request) -> EventLoopFuture<Response>
}

protocol Middleware: Sendable {
    func respond(to request: Request, chainingTo next: any Responder) -> EventLoopFuture<Response>
}

struct BasicResponder: Responder {
    let closure: @Sendable (Request) throws -> EventLoopFuture<Response>

    func respond(to request: Request) -> EventLoopFuture<Response> {
        do { return try closure(request) } catch { return request.eventLoop.makeFailedFuture(error) }
    }
}

protocol StorageKey { associatedtype Value: Sendable }

struct Storage: Sendable {
    private var values: [ObjectIdentifier: any Sendable] = [:]

    subscript<Key: StorageKey>(_ key: Key.Type) -> Key.Value? {
        get { values[ObjectIdentifier(key)] as? Key.Value }
        set { values[ObjectIdentifier(key)] = newValue }
    }
}

final class Request: Sendable {
    struct Logger: Sendable {
        func error(_ message: String) {}
    }

    let eventLoop: any EventLoop
    let path: String
    let body: Body
    let logger = Logger()
    private let stored = Lock(Storage())

    init(_ path: String, on eventLoop: any EventLoop) {
        self.path = path
        self.eventLoop = eventLoop
        body = Body(eventLoop)
    }

    var storage: Storage {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }

    /// The request's body, whose end the server reads after it has called the responder.
    final class Body: Sendable {
        let end: EventLoopPromise<ByteBuffer?>
        private let collected = Lock<ByteBuffer?>(nil)

        init(_ eventLoop: any EventLoop) { end = eventLoop.makePromise() }

        var data: ByteBuffer? { collected.withLock { $0 } }

        func append(_ buffer: ByteBuffer) {
            collected.withLock {
                $0 = ByteBuffer(bytes: ($0.map { Array($0.readableBytesView) } ?? []) + buffer.readableBytesView)
            }
        }

        func collect(max: Int?) -> EventLoopFuture<ByteBuffer?> { end.futureResult }
    }
}

final class Response: Sendable {
    let status: HTTPResponseStatus
    let body: Body
    private let stored = Lock(Storage())

    init(status: HTTPResponseStatus = .ok, body: Body = Body()) {
        self.status = status
        self.body = body
    }

    var storage: Storage {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }

    struct Body: Sendable {
        enum Storage: Sendable {
            case string(String)
            case stream(@Sendable (any BodyStreamWriter) -> Void)
            case asyncStream(@Sendable (any AsyncBodyStreamWriter) async throws -> Void)
        }

        let storage: Storage
        let count: Int

        init(string: String = "") {
            storage = .string(string)
            count = string.utf8.count
        }

        init(stream: @escaping @Sendable (any BodyStreamWriter) -> Void) {
            storage = .stream(stream)
            count = -1
        }

        init(managedAsyncStream: @escaping @Sendable (any AsyncBodyStreamWriter) async throws -> Void, count: Int) {
            self.count = count
            storage = .asyncStream { writer in
                do {
                    try await managedAsyncStream(writer)
                    try await writer.write(.end)
                } catch {
                    try await writer.write(.error(error))
                }
            }
        }
    }
}

enum BodyStreamResult: Sendable {
    case buffer(ByteBuffer)
    case error(any Error)
    case end
}

protocol BodyStreamWriter: Sendable {
    var eventLoop: any EventLoop { get }
    func write(_ result: BodyStreamResult, promise: EventLoopPromise<Void>?)
}

extension BodyStreamWriter {
    func write(_ result: BodyStreamResult) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        eventLoop.execute { write(result, promise: promise) }
        return promise.futureResult
    }
}

protocol AsyncBodyStreamWriter: Sendable {
    func write(_ result: BodyStreamResult) async throws
}

/// Makes a response of an error.
struct ErrorMiddleware: Middleware {
    let closure: @Sendable (Request, any Error) -> Response

    func respond(to request: Request, chainingTo next: any Responder) -> EventLoopFuture<Response> {
        next.respond(to: request).flatMapErrorThrowing { closure(request, $0) }
    }
}
#endif
