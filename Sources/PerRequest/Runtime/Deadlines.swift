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

    fileprivate struct Deadline: Sendable {
        let token: Token
        /// `nil` if it was cancelled.
        var action: (@Sendable () -> Void)?
    }

    fileprivate struct State: Sendable {
        /// Sorted by instant.
        ///
        /// Most limits are equal, so that a new deadline is nearly always the last. One that is cancelled keeps its place
        /// until it is the first, or until most of them are.
        var deadlines: [Deadline] = []
        /// How many at the beginning are over, and how many behind them were cancelled.
        var passed = 0
        var cancelled = 0
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
            var place = state.deadlines.count
            if place > state.passed, token < state.deadlines[place - 1].token { place = state.place(of: token) }
            state.deadlines.insert(Deadline(token: token, action: action), at: place)
            if state.wakesAt.map({ token.instant < $0 }) ?? true { sleep(until: token.instant, &state) }
            return token
        }
    }

    /// Cancels a deadline.
    ///
    /// Does nothing if it has passed.
    func cancel(_ token: Token) {
        let removed: (@Sendable () -> Void)? = state.withLock { state in
            let place = state.place(of: token)
            guard place < state.deadlines.count, state.deadlines[place].token == token,
                let action = state.deadlines[place].action.take()
            else { return nil }
            state.cancelled += 1
            state.forgetCancelled()
            return action
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
            let left = state.deadlines[state.passed...]
            let due = Array(left.prefix { $0.token.instant <= now })
            state.deadlines.removeFirst(state.passed + due.count)
            state.passed = 0
            state.cancelled -= due.count { $0.action == nil }
            state.forgetCancelled()
            state.wakesAt = nil
            state.sleeper = nil
            if state.passed < state.deadlines.count {
                sleep(until: state.deadlines[state.passed].token.instant, &state)
            }
            return due
        }
        for deadline in due { deadline.action?() }
    }
}

extension Deadlines.State {
    /// Where a deadline is, or would be.
    fileprivate func place(of token: Deadlines.Token) -> Int {
        var low = passed
        var high = deadlines.count
        while low < high {
            let middle = (low + high) / 2
            if deadlines[middle].token < token { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Passes over what was cancelled at the beginning, and clears up where little else is left.
    fileprivate mutating func forgetCancelled() {
        while passed < deadlines.count, deadlines[passed].action == nil {
            passed += 1
            cancelled -= 1
        }
        guard passed + cancelled > 32, (passed + cancelled) * 2 > deadlines.count else { return }
        // What is dropped has no action any more.
        deadlines.removeAll { $0.action == nil }
        passed = 0
        cancelled = 0
    }
}
