import Synchronization

/// Counts the requests whose releases go on while others are served in their place.
package final class ReleasesUnderWay: Sendable {
    private struct State: Sendable {
        var count = 0
        var waiters: [Waiter] = []
    }

    private let state = Lock(State())

    package init() {}

    func began() { state.withLock { $0.count += 1 } }

    func ended() {
        let waiters: [Waiter] = state.withLock { state in
            state.count -= 1
            guard state.count == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(.success(nil)) }
    }

    /// Returns when they have ended; each has its limit.
    package nonisolated(nonsending) func end() async {
        let waiter = Waiter()
        let isOver = state.withLock { state in
            if state.count > 0 { state.waiters.append(waiter) }
            return state.count == 0
        }
        if !isOver { _ = await waiter.wait() }
    }
}
