/// What becomes of a test's store although its code succeeds.
@nonexhaustive
public enum ForcedOutcome: Sendable {
    /// It is rolled back, as if the code had called `store.fail(_:)` at its end.
    case rollback

    /// The first release before the response throws, as a commit that fails, and all others are rolled back.
    case failingCommit
}

/// The error that a ``ForcedOutcome`` is made with.
public struct ForcedFailure: Error {}

extension ForcedFailure: CustomStringConvertible {
    /// Says that a test wants it.
    public var description: String { "forced by a test" }
}
