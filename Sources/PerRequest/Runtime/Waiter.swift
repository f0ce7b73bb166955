import Synchronization

/// A place where one task waits for one result.
///
/// The result may come before the task does.
final class Waiter: Sendable {
    private enum State: Sendable {
        case empty
        case waiting(Waiting)
        case ready(Result<AnyBox?, any Error>)
        case taken
    }

    /// The task that waits: an object, because a continuation in the state would make every change of it cost more.
    private final class Waiting: Sendable {
        let continuation: CheckedContinuation<Result<AnyBox?, any Error>, Never>

        init(_ continuation: CheckedContinuation<Result<AnyBox?, any Error>, Never>) {
            self.continuation = continuation
        }
    }

    private let state = Lock(State.empty)

    /// Hands over the result.
    ///
    /// The first one counts.
    func resume(_ result: Result<AnyBox?, any Error>) {
        let waiting: Waiting? = state.withLock { state in
            switch state {
            case .empty:
                state = .ready(result)
                return nil
            case .waiting(let waiting):
                state = .taken
                return waiting
            case .ready, .taken:
                return nil
            }
        }
        waiting?.continuation.resume(returning: result)
    }

    /// The result, if it is there already.
    func take() -> Result<AnyBox?, any Error>? {
        state.withLock { state in
            guard case .ready(let result) = state else { return nil }
            state = .taken
            return result
        }
    }

    /// Waits for the result.
    ///
    /// Does not react to cancellation: whoever cancels resumes.
    nonisolated(nonsending) func wait() async -> Result<AnyBox?, any Error> {
        if let result = take() { return result }
        return await withCheckedContinuation { continuation in
            let ready: Result<AnyBox?, any Error>? = state.withLock { state in
                guard case .ready(let result) = state else {
                    state = .waiting(Waiting(continuation))
                    return nil
                }
                state = .taken
                return result
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }
}
