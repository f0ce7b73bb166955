// A stub: declarations of swift-dependencies 1.16.0, as far as the guides use them, looked up in November 2026.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public protocol DependencyKey<Value> {
    associatedtype Value: Sendable = Self

    static var liveValue: Value { get }
}

public struct DependencyValues: Sendable {
    public subscript<Key: DependencyKey>(key: Key.Type) -> Key.Value {
        get { Key.liveValue }
        set {}
    }
}

@propertyWrapper
public struct Dependency<Value>: Sendable {
    private let keyPath: any KeyPath<DependencyValues, Value> & Sendable

    public init(_ keyPath: any KeyPath<DependencyValues, Value> & Sendable) { self.keyPath = keyPath }

    public var wrappedValue: Value { DependencyValues()[keyPath: keyPath] }
}

@discardableResult
public func withDependencies<R>(
    isolation: isolated (any Actor)? = #isolation,
    _ updateValuesForOperation: (inout DependencyValues) async throws -> Void,
    operation: () async throws -> R
) async rethrows -> R {
    var values = DependencyValues()
    try await updateValuesForOperation(&values)
    return try await operation()
}
