// A stub: declarations of PostgresNIO 1.33.1, as far as the guides use them, looked up in November 2026. The blocks
// were also compiled against the library itself, and run.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import Logging
public import NIOCore

public final class PostgresClient: Sendable {
    public init() {}

    @_disfavoredOverload
    public func withConnection<Result>(_ closure: (PostgresConnection) async throws -> Result) async throws -> Result {
        fatalError("a stub")
    }

    public func withConnection<Result>(
        isolation: isolated (any Actor)? = #isolation,
        _ closure: (PostgresConnection) async throws -> sending Result
    ) async throws -> sending Result {
        fatalError("a stub")
    }

    public func run() async {}
}

public final class PostgresConnection: Sendable {
    public var eventLoop: any EventLoop { fatalError("a stub") }

    public var logger: Logger { fatalError("a stub") }

    public func withTransaction<Result>(
        logger: Logger,
        file: String = #file,
        line: Int = #line,
        isolation: isolated (any Actor)? = #isolation,
        _ process: (PostgresConnection) async throws -> sending Result
    ) async throws -> sending Result {
        fatalError("a stub")
    }

    @discardableResult
    public func query(
        _ query: PostgresQuery,
        logger: Logger,
        file: String = #fileID,
        line: Int = #line
    ) async throws -> PostgresRowSequence {
        fatalError("a stub")
    }

    public func query(
        _ query: PostgresQuery,
        logger: Logger,
        file: String = #fileID,
        line: Int = #line
    ) -> EventLoopFuture<PostgresQueryResult> {
        fatalError("a stub")
    }
}

public struct PostgresQuery: Sendable, ExpressibleByStringInterpolation {
    public struct StringInterpolation: StringInterpolationProtocol, Sendable {
        public init(literalCapacity: Int, interpolationCount: Int) {}

        public mutating func appendLiteral(_ literal: String) {}

        public mutating func appendInterpolation(_ value: some PostgresDynamicTypeEncodable) {}

        public mutating func appendInterpolation(_ value: (some PostgresDynamicTypeEncodable)?) {}

        public mutating func appendInterpolation(unescaped interpolated: String) {}
    }

    public init(stringInterpolation: StringInterpolation) {}

    public init(stringLiteral value: String) {}
}

public protocol PostgresDynamicTypeEncodable: Sendable {}

public protocol PostgresDecodable {}

extension String: PostgresDynamicTypeEncodable, PostgresDecodable {}

extension Int: PostgresDynamicTypeEncodable, PostgresDecodable {}

public struct PostgresRow: Sendable {}

public struct PostgresRowSequence: AsyncSequence, Sendable {
    public typealias Element = PostgresRow

    public struct AsyncIterator: AsyncIteratorProtocol {
        public mutating func next() async throws -> PostgresRow? { nil }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator() }
}

extension AsyncSequence where Element == PostgresRow {
    public func decode<Column: PostgresDecodable>(
        _: Column.Type,
        file: String = #fileID,
        line: Int = #line
    ) -> AsyncThrowingMapSequence<Self, Column> {
        fatalError("a stub")
    }
}

public struct PostgresQueryMetadata: Sendable {
    public let command: String
}

public struct PostgresQueryResult: Sendable {
    public let metadata: PostgresQueryMetadata
}
