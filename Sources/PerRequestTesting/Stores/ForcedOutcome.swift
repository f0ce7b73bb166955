import PerRequest

/// What becomes of a test's store, or of each request under a test's overrides, although its code succeeds.
@nonexhaustive
public enum ForcedOutcome: Sendable {
    /// It is rolled back, as if the code had called `store.fail(_:)` at its end.
    case rollback

    /// The first release before the response throws, as a commit that fails, and all others are rolled back.
    case failingCommit
}

/// The error that a ``ForcedOutcome`` is made with.
///
/// It is in the request's outcome, and not reported: nothing is printed.
public struct ForcedFailure: Error {}

extension ForcedFailure: IntendedFailure {}

extension ForcedFailure: CustomStringConvertible {
    /// Says that a test wants it.
    public var description: String { "forced by a test" }
}

extension ForcedOutcome {
    func install(in overrides: inout StoreOverrides) {
        switch self {
        case .rollback: overrides.force { $0.fail(ForcedFailure()) }
        // Acquired last, it is released first.
        case .failingCommit: overrides.force { _ = try? await forcedCommit.get(in: $0) }
        }
    }
}

/// A resource whose release throws, unless the request is rolled back already.
private let forcedCommit = RequestResource("a commit that a test lets fail", released: .beforeResponse) {
} release: { _, outcome in
    if outcome.verdict == .commit { throw ForcedFailure() }
}
