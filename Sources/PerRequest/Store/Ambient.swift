/// What is current in a task.
///
/// There is one task-local in the process.
@usableFromInline
enum Ambient {
    @TaskLocal static var context: Context?

    struct Context: Sendable {
        /// The current store.
        let core: StoreCore?
        /// The factory that runs here: of `core`, or of a parent of it.
        var factory: RunningFactory?
        /// The body of `useExclusively` that this is inside of.
        var turn: Turn?
    }

    static var core: StoreCore? { context?.core }

    /// What is set under a key in the current store or, through it, in its parents.
    @usableFromInline
    static func box(for key: ValueKey) -> AnyBox? { core?.box(for: key) }
}

extension Ambient {
    /// Runs `body` with `context` current.
    static nonisolated(nonsending) func with<Result, Failure: Error>(
        _ context: Context?,
        _ body: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        do {
            return try await $context.withValue(context) { try await body() }
        } catch {
            // `withValue` rethrows `any Error`; what comes out of it is what `body` threw.
            throw error as! Failure
        }
    }

    /// Runs `body` with `context` current, outside async code.
    static func with<Result, Failure: Error>(
        _ context: Context?,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do {
            return try $context.withValue(context) { try body() }
        } catch {
            throw error as! Failure
        }
    }

    /// Runs `body` with `core` current and no factory; binds it only where that is not so already.
    static nonisolated(nonsending) func ensure<Result>(
        _ core: StoreCore,
        _ body: nonisolated(nonsending) () async -> Result
    ) async -> Result {
        if let context, context.core === core, context.factory == nil { return await body() }
        return await with(Context(core: core), body)
    }
}
