#if NIO
public import NIOCore
public import PerRequest

/// A future whose callbacks run with a request's store current: it keeps the store through a chain.
///
/// ```swift
/// database.query("…").inRequestStore
///     .flatMapThrowing { row in try Note(row, for: Current.user.require()) }
///     .flatMap { note in index.add(note, language: Current.locale.value) }
///     .whenComplete { result in … }
/// ```
///
/// A plain `EventLoopFuture` runs its callbacks on the event loop, where no store is current. Each step of this one gives
/// another one, so that a chain cannot lose the store on its way; ``future`` leaves it.
///
/// **Lifetime.** It does not hold the request open: in a callback that comes after the request, the store is current,
/// closed and empty, and what needs it throws.
///
/// **Isolation.** Callbacks run on the future's event loop and must not block it.
///
/// **Cancellation.** None: the request's cancellation does not reach a future.
public struct RequestFuture<Value: Sendable>: Sendable {
    /// The future itself, whose callbacks do not see the store.
    public let future: EventLoopFuture<Value>

    /// The store that the callbacks see.
    public let snapshot: RequestSnapshot

    /// Makes the callbacks of a future see a store.
    ///
    /// - Parameters:
    ///   - future: The future.
    ///   - snapshot: The store; the current one by default.
    public init(_ future: EventLoopFuture<Value>, in snapshot: RequestSnapshot = RequestSnapshot()) {
        self.future = future
        self.snapshot = snapshot
    }

    /// The future's event loop.
    public var eventLoop: any EventLoop { future.eventLoop }

    /// Waits for the future, in a task.
    ///
    /// The store that is current there stays so.
    ///
    /// - Throws: The future's error.
    public func get() async throws -> Value { try await future.get() }

    private func next<NewValue>(_ future: EventLoopFuture<NewValue>) -> RequestFuture<NewValue> {
        RequestFuture<NewValue>(future, in: snapshot)
    }
}

// MARK: - Values

extension RequestFuture {
    /// A future of what `callback` makes of the value.
    public func map<NewValue>(_ callback: @escaping @Sendable (Value) -> NewValue) -> RequestFuture<NewValue> {
        next(future.map(snapshot.wrap(callback)))
    }

    /// A future of what `callback` makes of the value, or of the error that it throws.
    public func flatMapThrowing<NewValue>(
        _ callback: @escaping @Sendable (Value) throws -> NewValue
    ) -> RequestFuture<NewValue> {
        next(future.flatMapThrowing(snapshot.wrap(callback)))
    }

    /// The future that `callback` makes of the value.
    public func flatMap<NewValue>(
        _ callback: @escaping @Sendable (Value) -> EventLoopFuture<NewValue>
    ) -> RequestFuture<NewValue> {
        next(future.flatMap(snapshot.wrap(callback)))
    }

    /// The future that `callback` makes of the value.
    public func flatMap<NewValue>(
        _ callback: @escaping @Sendable (Value) -> RequestFuture<NewValue>
    ) -> RequestFuture<NewValue> {
        flatMap { value -> EventLoopFuture<NewValue> in callback(value).future }
    }
}

// MARK: - Errors

extension RequestFuture {
    /// The future that `callback` makes of the error; this one where there is none.
    public func flatMapError(
        _ callback: @escaping @Sendable (any Error) -> EventLoopFuture<Value>
    ) -> RequestFuture<Value> {
        next(future.flatMapError(snapshot.wrap(callback)))
    }

    /// The future that `callback` makes of the error; this one where there is none.
    public func flatMapError(
        _ callback: @escaping @Sendable (any Error) -> RequestFuture<Value>
    ) -> RequestFuture<Value> {
        flatMapError { error -> EventLoopFuture<Value> in callback(error).future }
    }

    /// A future of the value that `callback` makes of the error, or of the error that it throws.
    public func flatMapErrorThrowing(
        _ callback: @escaping @Sendable (any Error) throws -> Value
    ) -> RequestFuture<Value> {
        next(future.flatMapErrorThrowing(snapshot.wrap(callback)))
    }

    /// A future of the value that `callback` makes of the error.
    public func recover(_ callback: @escaping @Sendable (any Error) -> Value) -> RequestFuture<Value> {
        next(future.recover(snapshot.wrap(callback)))
    }
}

// MARK: - The end of a chain

extension RequestFuture {
    /// Calls `callback` with the result, and is the same future.
    public func always(_ callback: @escaping @Sendable (Result<Value, any Error>) -> Void) -> RequestFuture<Value> {
        next(future.always(snapshot.wrap(callback)))
    }

    /// Calls `callback` with the result.
    public func whenComplete(_ callback: @escaping @Sendable (Result<Value, any Error>) -> Void) {
        future.whenComplete(snapshot.wrap(callback))
    }

    /// Calls `callback` with the value.
    public func whenSuccess(_ callback: @escaping @Sendable (Value) -> Void) {
        future.whenSuccess(snapshot.wrap(callback))
    }

    /// Calls `callback` with the error.
    public func whenFailure(_ callback: @escaping @Sendable (any Error) -> Void) {
        future.whenFailure(snapshot.wrap(callback))
    }
}

extension EventLoopFuture where Value: Sendable {
    /// This future with callbacks that see the store that is current here.
    ///
    /// To be read in the request: in its task, or in a callback that sees its store. Anywhere else no store is current,
    /// and a key that is used in a callback says so.
    public var inRequestStore: RequestFuture<Value> { RequestFuture(self) }

    /// This future with callbacks that see a store that was current before.
    public func inRequestStore(of snapshot: RequestSnapshot) -> RequestFuture<Value> {
        RequestFuture(self, in: snapshot)
    }
}
#endif
