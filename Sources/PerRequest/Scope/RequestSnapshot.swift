/// The current store, to carry into code that does not run in the request's task: a callback, an `EventLoopFuture`, a
/// dispatch queue.
///
/// ```swift
/// let snapshot = RequestSnapshot()
/// future.map(snapshot.wrap { row in try Note(row, for: Current.user.require()) })
/// ```
///
/// **Lifetime.** A snapshot does not hold the request open. In a callback that comes after the request, the store is
/// current, closed and empty: what needs it throws.
///
/// **Isolation.** It may be used from any task and thread. `run` runs its body in the caller's task, if there is one.
public struct RequestSnapshot: Sendable {
    /// The store that was current; `nil` outside a request.
    public var store: RequestStore? { context.core.map { RequestStore(core: $0) } }

    private let context: Ambient.Context

    /// Takes the current store.
    public init() {
        context = Ambient.context
    }

    /// Takes the given store.
    ///
    /// - Parameter store: The store that `run` and `wrap` make current.
    public init(_ store: RequestStore) {
        context = Ambient.Context(store.core)
    }

    /// Runs `body` with the store current.
    ///
    /// - Throws: What `body` throws.
    public func run<Result>(_ body: () throws -> Result) rethrows -> Result {
        try ScopeOwnership.within(context.core) {
            try Ambient.with(context) { () throws(any Error) in try body() }
        }
    }

    /// Runs `body` with the store current.
    ///
    /// - Throws: What `body` throws.
    public nonisolated(nonsending) func run<Result>(
        _ body: nonisolated(nonsending) () async throws -> Result
    ) async rethrows -> Result {
        try await ScopeOwnership.within(context.core) {
            try await Ambient.with(context) { () async throws(any Error) in try await body() }
        }
    }

    /// A function that runs `body` with the store current.
    public func wrap<each Argument, Result>(
        _ body: @escaping @Sendable (repeat each Argument) -> Result
    ) -> @Sendable (repeat each Argument) -> Result {
        { (argument: repeat each Argument) in run { body(repeat each argument) } }
    }

    /// A function that runs `body` with the store current, and throws what it throws.
    public func wrap<each Argument, Result>(
        _ body: @escaping @Sendable (repeat each Argument) throws -> Result
    ) -> @Sendable (repeat each Argument) throws -> Result {
        { (argument: repeat each Argument) in try run { try body(repeat each argument) } }
    }

    /// A function that runs `body` with the store current.
    public func wrap<each Argument: Sendable, Result: Sendable>(
        _ body: @escaping @Sendable @concurrent (repeat each Argument) async -> Result
    ) -> @Sendable @concurrent (repeat each Argument) async -> Result {
        { (argument: repeat each Argument) in await run { await body(repeat each argument) } }
    }

    /// A function that runs `body` with the store current, and throws what it throws.
    public func wrap<each Argument: Sendable, Result: Sendable>(
        _ body: @escaping @Sendable @concurrent (repeat each Argument) async throws -> Result
    ) -> @Sendable @concurrent (repeat each Argument) async throws -> Result {
        { (argument: repeat each Argument) in try await run { try await body(repeat each argument) } }
    }
}
