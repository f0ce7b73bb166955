// A stub: declarations of Vapor 4.122.0, as far as the guides use them, looked up in November 2026.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

@_exported import Logging
@_exported import NIOCore
@_exported import NIOHTTP1

public final class Application: Sendable {
    public struct Responder {
        public var `default`: any Vapor.Responder { fatalError() }

        @preconcurrency
        public func use(_ factory: @Sendable @escaping (Application) -> any Vapor.Responder) {}
    }

    public var responder: Responder { Responder() }

    public var middleware: Middlewares {
        get { Middlewares() }
        set {}
    }

    public var directory: DirectoryConfiguration { DirectoryConfiguration() }

    @discardableResult
    public func get<Response: AsyncResponseEncodable>(
        _ path: PathComponent...,
        use closure: @Sendable @escaping (Request) async throws -> Response
    ) -> Route { Route() }

    init() {}
}

public struct PathComponent: ExpressibleByStringLiteral, Sendable {
    public init(stringLiteral value: String) {}
}

public final class Route: Sendable {}

public struct DirectoryConfiguration: Sendable {
    public var publicDirectory: String { "" }
}

public struct Middlewares: Sendable {
    public enum Position {
        case beginning
        case end
    }

    public mutating func use(_ middleware: any Middleware, at position: Position = .end) {}
}

public final class FileMiddleware: Middleware {
    public init(publicDirectory: String) {}

    public func respond(to request: Request, chainingTo next: any Responder) -> EventLoopFuture<Response> {
        next.respond(to: request)
    }
}

public protocol Responder: Sendable {
    func respond(to request: Request) -> EventLoopFuture<Response>
}

@preconcurrency
public protocol Middleware: Sendable {
    func respond(to request: Request, chainingTo next: any Responder) -> EventLoopFuture<Response>
}

public protocol AsyncResponder: Responder {
    func respond(to request: Request) async throws -> Response
}

public protocol AsyncResponseEncodable {}

public protocol StorageKey {
    associatedtype Value: Sendable
}

public struct Storage: Sendable {
    public subscript<Key: StorageKey>(_ key: Key.Type) -> Key.Value? {
        get { nil }
        set {}
    }
}

public final class Request: Sendable {
    public struct Body: Sendable {
        public var data: ByteBuffer? { nil }

        public func collect(max: Int? = 1 << 14) -> EventLoopFuture<ByteBuffer?> { fatalError() }
    }

    public var logger: Logger {
        get { fatalError() }
        set {}
    }

    public let eventLoop: any EventLoop

    public var body: Body { Body() }

    public var storage: Storage {
        get { Storage() }
        set {}
    }

    init(on eventLoop: any EventLoop) { self.eventLoop = eventLoop }
}

public final class Response: AsyncResponseEncodable, Sendable {
    public struct Body: Sendable {
        public static let empty = Body()

        public var count: Int { 0 }

        init() {}

        public init(
            managedAsyncStream: @escaping @Sendable (any AsyncBodyStreamWriter) async throws -> Void,
            count: Int,
            byteBufferAllocator: ByteBufferAllocator = ByteBufferAllocator()
        ) {}
    }

    public var body: Body {
        get { .empty }
        set {}
    }

    public var status: HTTPResponseStatus {
        get { .ok }
        set {}
    }

    public var storage: Storage {
        get { Storage() }
        set {}
    }

    public init(
        status: HTTPResponseStatus = .ok,
        version: HTTPVersion = .http1_1,
        headers: HTTPHeaders = HTTPHeaders(),
        body: Body = .empty
    ) {}
}

public enum BodyStreamResult: Sendable {
    case buffer(ByteBuffer)
    case error(any Error)
    case end
}

public protocol AsyncBodyStreamWriter: Sendable {
    func write(_ result: BodyStreamResult) async throws
    func writeBuffer(_ buffer: ByteBuffer) async throws
}

extension AsyncBodyStreamWriter {
    public func writeBuffer(_ buffer: ByteBuffer) async throws { try await write(.buffer(buffer)) }
}
