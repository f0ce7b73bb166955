#if Tracing
public import PerRequest

/// A mistake in the keys that a ``RequestBaggage`` is to accept.
public struct RequestBaggageError: Error, CustomStringConvertible {
    /// What is wrong.
    @nonexhaustive
    public enum Reason: Sendable {
        /// The key is not declared with `propagated:`.
        case notPropagated(key: String)
        /// The key cannot travel: its name is none, or is another key's.
        case refused(RequestStoreError)
        /// The name comes twice.
        case acceptedTwice(String)
    }

    /// What is wrong.
    public let reason: Reason

    /// The key and the remedy.
    public var description: String {
        switch reason {
        case .notPropagated(let key):
            "\"\(key)\" cannot be accepted: its values do not travel. Declare it with `propagated:`."
        case .refused(let error): "\(error)"
        case .acceptedTwice(let name): "\"\(name)\" is accepted twice. Name each key once."
        }
    }
}
#endif
