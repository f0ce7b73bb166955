import Synchronization

/// Tells whether a task that was started with `Task.immediate` ended before its starter went on.
///
/// Exactly one of the two sides finds that the other was first.
final class Handoff: Sendable {
    private enum State: Sendable {
        case running
        case starterLeft
        case ended((any Error)?)
    }

    private let state = Lock(State.running)

    /// Called by the task at its end.
    ///
    /// Returns whether the starter has left, so that the task has to deliver the result.
    func taskEnded(_ error: (any Error)?) -> Bool {
        state.withLock { state in
            if case .starterLeft = state { return true }
            state = .ended(error)
            return false
        }
    }

    /// Called by the starter.
    ///
    /// Returns the result if the task has ended, so that the starter has to deliver it.
    func starterLeaves() -> (ended: Bool, error: (any Error)?) {
        state.withLock { state in
            if case .ended(let error) = state { return (true, error) }
            state = .starterLeft
            return (false, nil)
        }
    }
}
