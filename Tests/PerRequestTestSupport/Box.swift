import PerRequest
import Synchronization

/// A value that a test's closures share.
package final class Box<Value: Sendable>: Sendable {
    private let mutex: Lock<Value>

    package init(_ value: Value) { mutex = Lock(value) }

    package var value: Value { mutex.withLock { $0 } }

    package func update<Result: Sendable>(_ change: @Sendable (inout Value) -> Result) -> Result {
        mutex.withLock { value in
            var copy = value
            let result = change(&copy)
            value = copy
            return result
        }
    }
}
