public import PerRequest

/// What takes the place of a value or a resource in a test's store.
///
/// ```swift
/// try await withTestRequestStore(overriding: [
///     .value(of: Current.user, alice),
///     .resource(Current.database, InMemoryDatabase()),
/// ]) { _ in … }
/// ```
public struct RequestOverride: Sendable {
    let replace: @Sendable (inout ResourceOverrides) -> Void
    let set: @Sendable (RequestStore) throws -> Void

    /// Sets a value before the test's code runs.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - value: The value; the code may set another one.
    public static func value<Value>(of key: RequestLocal<Value>, _ value: Value) -> RequestOverride {
        RequestOverride { _ in
        } set: { store in
            try key.set(value, in: store)
        }
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
        RequestOverride { overrides in
            overrides.replace(resource, by: acquire)
        } set: { _ in
        }
    }
}
