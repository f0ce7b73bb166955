import Synchronization

/// Numbers that are given once in the life of the process: the identities of keys and stores (rule 7).
enum Identity {
    private static let lastKey = Atomic<Int>(0)
    private static let lastStore = Atomic<Int>(0)

    static func nextKey() -> Int { lastKey.add(1, ordering: .relaxed).newValue }

    static func nextStore() -> Int { lastStore.add(1, ordering: .relaxed).newValue }
}

/// A value on the heap, of a type that only its key knows.
class AnyBox: @unchecked Sendable {}

/// A value on the heap.
class Box<Value: Sendable>: AnyBox, @unchecked Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
}

/// A value on the heap, with what it was made from.
final class ConvertedBox<Value: Sendable, Origin: Sendable>: Box<Value>, @unchecked Sendable {
    let origin: Origin

    init(_ value: Value, from origin: Origin) {
        self.origin = origin
        super.init(value)
    }
}

extension AnyBox {
    /// What the value of a ``ConvertedBox`` was made from.
    func origin<Value: Sendable, Origin: Sendable>(of type: Value.Type, as origin: Origin.Type) -> Origin {
        guard let box = self as? ConvertedBox<Value, Origin> else {
            preconditionFailure("a key's identity was used for two types")
        }
        return box.origin
    }

    /// The value, of the type of the one key under which boxes of this kind are stored.
    func value<Value: Sendable>(as type: Value.Type) -> Value {
        guard let box = self as? Box<Value> else { preconditionFailure("a key's identity was used for two types") }
        return box.value
    }
}
