#if GRPC
import Synchronization

/// A value that a test's closures share.
final class Box<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    var value: Value { mutex.withLock { $0 } }

    func update<Result: Sendable>(_ change: @Sendable (inout Value) -> Result) -> Result {
        mutex.withLock { value in
            var copy = value
            let result = change(&copy)
            value = copy
            return result
        }
    }
}
#endif
