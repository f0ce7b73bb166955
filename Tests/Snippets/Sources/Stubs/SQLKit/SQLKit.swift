// A stub: declarations of SQLKit 3.36.0, as far as the guides use them, looked up in November 2026.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public protocol SQLDatabase: Sendable {}

extension SQLDatabase {
    public func raw(_ sql: SQLQueryString) -> SQLRawBuilder { SQLRawBuilder() }
}

public struct SQLQueryString: ExpressibleByStringInterpolation {
    public init(stringLiteral value: String) {}
}

public final class SQLRawBuilder {
    public func run() async throws {}
}
