public import PerRequest

/// What takes the place of a value, a resource or a memo, in a test.
///
/// ```swift
/// try await withRequestOverrides([
///     .value(of: Current.user, alice),
///     .resource(Current.connection) { try await InMemoryConnection() },
///     .memo(Current.userByID) { id in User(id: id) },
/// ]) { try await app.test(.router) { client in … } }
/// ```
public struct RequestOverride: Sendable {
    /// In every store that opens under it.
    let install: @Sendable (inout StoreOverrides) -> Void
    /// In a test's own store, before that is opened and before the test's code runs.
    let prepare: @Sendable (inout StoreOverrides) -> Void
    let set: @Sendable (RequestStore) throws -> Void

    private init(_ replace: @escaping @Sendable (inout StoreOverrides) -> Void) {
        install = replace
        prepare = replace
        set = { _ in }
    }

    private init<Value>(_ key: RequestLocal<Value>, _ value: Value) {
        install = { $0.pin(key, to: value) }
        prepare = { $0.unpin(key) }
        set = { try key.set(value, in: $0) }
    }

    /// Gives a value before the code runs, also in the place of one that would be made at its first read.
    ///
    /// With ``withRequestOverrides(_:forcing:fileID:line:_:)`` it is pinned: where the code sets another one, that is
    /// ignored. In the store of ``withTestRequestStore(overriding:forcing:id:observers:_:)`` the code may set another one.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - value: The value.
    public static func value<Value>(of key: RequestLocal<Value>, _ value: Value) -> RequestOverride {
        RequestOverride(key, value)
    }

    /// Lets a resource be a given value, that nobody acquires or releases.
    ///
    /// Its point stays: it can be used for as long as the real one.
    ///
    /// - Parameters:
    ///   - resource: The resource.
    ///   - value: What takes its place.
    public static func resource<Value: Sendable>(_ resource: RequestResource<Value>, _ value: Value) -> RequestOverride
    {
        self.resource(resource) { value }
    }

    /// Lets a resource be made by a closure, in a test of what happens when that fails, for example.
    ///
    /// Nobody releases what it makes. Its point and its limits stay those of the resource.
    ///
    /// - Parameters:
    ///   - resource: The resource.
    ///   - acquire: Takes the place of its factory.
    public static func resource<Value: Sendable>(
        _ resource: RequestResource<Value>,
        acquire: @escaping @Sendable () async throws -> Value
    ) -> RequestOverride {
        RequestOverride { $0.replace(resource, by: acquire) }
    }

    /// Lets a memo call another function, once for every request and arguments as its own.
    ///
    /// - Parameters:
    ///   - memo: The memo.
    ///   - body: Takes the place of its function.
    public static func memo<Value: Sendable, each Argument: Hashable & Sendable>(
        _ memo: RequestMemo<Value, repeat each Argument>,
        _ body: @escaping @Sendable @concurrent (repeat each Argument) async throws -> Value
    ) -> RequestOverride {
        RequestOverride { $0.replace(memo, by: body) }
    }
}
