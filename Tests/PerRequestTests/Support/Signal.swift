import PerRequest
import Synchronization

/// An event to wait for.
///
/// Waiting ends when it has been fired, or when the waiting task is cancelled.
final class Signal: Sendable {
    private struct State: Sendable {
        var isFired = false
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var next = 0
    }

    private let state = Lock(State())

    func fire() {
        let waiting = state.withLock { state in
            state.isFired = true
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Waits, whatever happens to the task.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isFired = state.withLock { state in
                guard !state.isFired else { return true }
                state.waiting[state.next] = continuation
                state.next += 1
                return false
            }
            if isFired { continuation.resume() }
        }
    }

    /// Waits until it is fired, and throws if the task is cancelled meanwhile.
    func waitOrCancel() async throws {
        let number = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    guard !state.isFired, !Task.isCancelled else { return true }
                    state.waiting[number] = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            let continuation = state.withLock { $0.waiting.removeValue(forKey: number) }
            continuation?.resume()
        }
        try Task.checkCancellation()
    }
}
