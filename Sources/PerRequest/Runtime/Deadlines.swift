import Synchronization

/// The time limits of all flights and releases in the process, watched by one task that sleeps until the next of them.
///
/// Only what suspends has a deadline here, so that a request that uses nothing, or nothing that waits, costs no timer.
final class Deadlines: Sendable {
    static let shared = Deadlines()

    /// Names one deadline, to cancel it.
    struct Token: Hashable, Comparable, Sendable {
        /// Since ``Deadlines/start``.
        fileprivate let instant: Duration
        fileprivate let number: Int

        static func < (lhs: Token, rhs: Token) -> Bool { (lhs.instant, lhs.number) < (rhs.instant, rhs.number) }
    }

    private struct Deadline: Sendable {
        let token: Token
        let action: @Sendable () -> Void
    }

    private struct State: Sendable {
        /// Sorted by instant.
        ///
        /// Most limits are equal, so that a new deadline is nearly always the last.
        var deadlines: [Deadline] = []
        var nextNumber = 0
        var wakesAt: Duration?
        var sleeper: Task<Void, Never>?
    }

    private let state = Lock(State())
    private let start = ContinuousClock.now

    private var now: Duration { start.duration(to: .now) }

    /// Calls `action` once after `limit`, unless it is cancelled before.
    ///
    /// `action` must not block and must not run a user's code: it holds up all others.
    func schedule(after limit: Duration, _ action: @escaping @Sendable () -> Void) -> Token {
        state.withLock { state in
            let token = Token(instant: now + limit, number: state.nextNumber)
            state.nextNumber += 1
            let place = state.deadlines.lastIndex { $0.token < token }.map { $0 + 1 } ?? 0
            state.deadlines.insert(Deadline(token: token, action: action), at: place)
            if state.wakesAt.map({ token.instant < $0 }) ?? true { sleep(until: token.instant, &state) }
            return token
        }
    }

    /// Cancels a deadline.
    ///
    /// Does nothing if it has passed.
    func cancel(_ token: Token) {
        let removed: Deadline? = state.withLock { state in
            var low = 0
            var high = state.deadlines.count
            while low < high {
                let middle = (low + high) / 2
                if state.deadlines[middle].token < token { low = middle + 1 } else { high = middle }
            }
            guard low < state.deadlines.count, state.deadlines[low].token == token else { return nil }
            return state.deadlines.remove(at: low)
        }
        withExtendedLifetime(removed) {}
    }

    private func sleep(until instant: Duration, _ state: inout State) {
        state.sleeper?.cancel()
        state.wakesAt = instant
        state.sleeper = Task.detached(name: "PerRequest deadlines") {
            do { try await Task.sleep(until: self.start + instant, clock: .continuous) } catch { return }
            self.wake(at: instant)
        }
    }

    private func wake(at instant: Duration) {
        let due: [Deadline] = state.withLock { state in
            guard state.wakesAt == instant else { return [] }
            let now = now
            let count = state.deadlines.firstIndex { $0.token.instant > now } ?? state.deadlines.count
            let due = Array(state.deadlines[..<count])
            state.deadlines.removeFirst(count)
            state.wakesAt = nil
            state.sleeper = nil
            if let next = state.deadlines.first { sleep(until: next.token.instant, &state) }
            return due
        }
        for deadline in due { deadline.action() }
    }
}
