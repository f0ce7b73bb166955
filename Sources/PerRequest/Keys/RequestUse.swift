/// What the body of ``RequestResource/around(_:released:limits:fileID:line:column:_:)`` calls with its resource.
///
/// **Lifetime.** Valid inside the body.
///
/// **Isolation.** May be called from any task that the body awaits.
public struct RequestUse<Value: Sendable>: Sendable {
    /// The proof that `use` was called, to be returned from the body.
    public struct Receipt: Sendable {
        fileprivate init() {}
    }

    private let gate: Gate
    private let publish: @Sendable (Value) -> Void
    private let lost: @Sendable () -> Void

    init(gate: Gate, publish: @escaping @Sendable (Value) -> Void, lost: @escaping @Sendable () -> Void) {
        self.gate = gate
        self.publish = publish
        self.lost = lost
    }

    /// Hands the value to the request and waits until the request is done with it.
    ///
    /// - Parameter value: The resource.
    /// - Returns: A receipt, if the request succeeded.
    /// - Throws: ``RequestRollback`` if the request did not succeed: let it through, so that the function around rolls
    ///   back. `CancellationError` if the function around cancels the call. ``RequestStoreError`` at a second call.
    public func callAsFunction(_ value: Value) async throws -> Receipt {
        let outcome = try await gate.hold(publish: { publish(value) }, lost: lost)
        guard outcome.verdict == .commit else { throw RequestRollback(outcome: outcome) }
        return Receipt()
    }

    /// A receipt for a `with…` function that returns nothing.
    ///
    /// ```swift
    /// try await withFile { file in _ = try await use(file) }
    /// return use.receipt()
    /// ```
    public func receipt() -> Receipt { Receipt() }
}
