/// A value on the heap, of a type that only its key knows.
///
/// Boxes pass between tasks, also those of values that are not `Sendable`. This file is where that is made free of data
/// races:
///
/// - A box never changes: its value is set before anybody else sees the box. Reading it is no data race.
/// - ``value(as:)``, which many may call at the same time, exists for `Sendable` values only.
/// - Any other value has one holder at a time, and each gets it from the one before through the store's lock: the
///   factory, which gives it away as `sending`; then one body of `useExclusively` after the other, each only while it has
///   the turn, and `inout sending` makes it give the value back unshared; then the release, which waits for the bodies.
///   ``handOver(as:)`` is called there and nowhere else.
@usableFromInline
class AnyBox: @unchecked Sendable {}

/// A value on the heap.
@usableFromInline
class Box<Value>: AnyBox, @unchecked Sendable {
    @usableFromInline final let content: Value

    /// Required, so that a key can keep the type it makes: looking that up costs more than making the box.
    required init(_ value: sending Value) { content = value }

    /// A box that takes the place of this one, with another value.
    func replaced(by value: sending Value) -> Box<Value> { Box(value) }
}

extension Box where Value: Sendable {
    var value: Value { content }
}

/// A value on the heap, with what it was made from.
final class ConvertedBox<Value: Sendable, Origin: Sendable>: Box<Value>, @unchecked Sendable {
    let origin: Origin

    init(_ value: Value, from origin: Origin) {
        self.origin = origin
        super.init(value)
    }

    required init(_ value: sending Value) { preconditionFailure("a converted value is made from another one") }

    override func replaced(by value: Value) -> Box<Value> { ConvertedBox(value, from: origin) }
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
    func value<Value: Sendable>(as type: Value.Type) -> Value { box(of: type).content }

    /// The value, for the one who holds it from now on.
    func handOver<Value>(as type: Value.Type) -> sending Value {
        nonisolated(unsafe) let value = box(of: type).content
        return unsafe value
    }

    private func box<Value>(of type: Value.Type) -> Box<Value> {
        guard let box = self as? Box<Value> else { preconditionFailure("a key's identity was used for two types") }
        return box
    }

    /// The box that takes the place of this one when a body has had the value.
    func replaced<Value>(by value: sending Value, as type: Value.Type) -> AnyBox { box(of: type).replaced(by: value) }
}

/// A value while one body has it, and then what the body made of it.
///
/// It carries it through a closure that binds a task-local, which the compiler cannot follow. It never leaves the function
/// that made it, and that waits for the closure.
final class Loan<Value>: @unchecked Sendable {
    private var value: Value

    init(_ value: sending Value) { self.value = value }

    /// Lets `body` have the value; what it does to it remains, also if it throws.
    nonisolated(nonsending) func lend<Result: Sendable>(
        to body: nonisolated(nonsending) (inout sending Value) async throws -> Result
    ) async throws -> Result {
        nonisolated(unsafe) var lent = value
        defer { unsafe value = lent }
        return unsafe try await body(&lent)
    }

    /// The value, when the body has ended.
    func giveBack() -> sending Value {
        nonisolated(unsafe) let value = value
        return unsafe value
    }
}
