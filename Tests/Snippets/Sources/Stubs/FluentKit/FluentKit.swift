// A stub: declarations of FluentKit 1.56.0, as far as the guides use them, looked up in November 2026.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import NIOCore

public protocol Database: Sendable {
    func withConnection<T>(_ closure: @escaping @Sendable (any Database) -> EventLoopFuture<T>) -> EventLoopFuture<T>
}

extension Database {
    public func withConnection<T: Sendable>(
        _ closure: @escaping @Sendable (any Database) async throws -> T
    ) async throws -> T {
        fatalError("a stub")
    }
}

public protocol TransactionControlDatabase: Database {
    func beginTransaction() -> EventLoopFuture<Void>

    func commitTransaction() -> EventLoopFuture<Void>

    func rollbackTransaction() -> EventLoopFuture<Void>
}
