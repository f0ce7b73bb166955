import Synchronization

/// The meeting place of an `around` function and the store: the function hands in its value and waits for the outcome.
final class Gate: Sendable {
    private enum State: Sendable {
        /// The function has not called `use`.
        case idle
        /// The function has called `use`, which hands in the value.
        case publishing
        /// The function waits inside `use`.
        case waiting
        /// The outcome is known; `use` has returned or is about to.
        case open
        /// The wait inside `use` was broken off: by a second call, or because the function cancelled it.
        case broken
        /// The function has ended.
        case ended
    }

    /// What the end of the function means to the store.
    enum End: Sendable {
        case acquireFailed(any Error)
        case lost((any Error)?)
        case released((any Error)?)
    }

    private struct Guarded: Sendable {
        var state = State.idle
        var outcome: RequestOutcome?
        var calledTwice = false
    }

    private let guarded = Lock(Guarded())
    private let waiter = Waiter()
    private let makeError: @Sendable (RequestStoreError.Reason) -> RequestStoreError

    init(makeError: @escaping @Sendable (RequestStoreError.Reason) -> RequestStoreError) {
        self.makeError = makeError
    }

    /// Called by `use`: hands in the value by `publish` and waits for the outcome.
    ///
    /// Calls `lost` where the function ended while the value was handed in: a `use` that nobody awaits.
    nonisolated(nonsending) func hold(publish: () -> Void, lost: () -> Void) async throws -> RequestOutcome {
        let isFirst = guarded.withLock { guarded in
            guard case .idle = guarded.state else {
                guarded.calledTwice = true
                if case .waiting = guarded.state { guarded.state = .broken }
                return false
            }
            guarded.state = .publishing
            return true
        }
        guard isFirst else {
            waiter.resume(.failure(makeError(.useCalledTwice)))
            throw makeError(.useCalledTwice)
        }
        publish()
        let hasEnded = guarded.withLock { guarded in
            if case .publishing = guarded.state { guarded.state = guarded.calledTwice ? .broken : .waiting }
            if case .ended = guarded.state { return true }
            return false
        }
        if hasEnded { lost() }
        let result = await withTaskCancellationHandler {
            await waiter.wait()
        } onCancel: {
            breakOff()
        }
        _ = try result.get()
        guard let outcome = guarded.withLock({ $0.outcome }) else {
            preconditionFailure("a gate resumed without an outcome")
        }
        return outcome
    }

    private func breakOff() {
        let broke = guarded.withLock { guarded in
            guard case .waiting = guarded.state else { return false }
            guarded.state = .broken
            return true
        }
        if broke { waiter.resume(.failure(CancellationError())) }
    }

    /// Called by the store when the release point has come to this resource.
    ///
    /// Does nothing if the function ended before; `observe` runs before it goes on.
    func open(_ outcome: RequestOutcome, observe: () -> Void) {
        let opened = guarded.withLock { guarded in
            switch guarded.state {
            case .publishing, .waiting:
                guarded.state = .open
                guarded.outcome = outcome
                return true
            case .idle, .open, .broken, .ended:
                return false
            }
        }
        guard opened else { return }
        observe()
        waiter.resume(.success(nil))
    }

    /// Called when the function has ended.
    func end(_ error: (any Error)?) -> End {
        defer { waiter.resume(.failure(CancellationError())) }
        let (end, isRolledBack): (End, Bool) = guarded.withLock { guarded in
            defer { guarded.state = .ended }
            let twice = guarded.calledTwice ? makeError(.useCalledTwice) : nil
            switch guarded.state {
            case .idle, .publishing, .ended:
                return (.acquireFailed(error ?? makeError(.useNeverCalled)), false)
            case .waiting, .broken:
                return (.lost(twice ?? error), false)
            case .open:
                if let twice { return (.released(twice), false) }
                guard guarded.outcome?.verdict == .rollback else { return (.released(error), false) }
                return (.released(error ?? makeError(.rollbackSwallowed)), true)
            }
        }
        // Not under the lock: it may run the code of the error.
        guard isRolledBack, let error, RequestRollback.isCarried(by: error) else { return end }
        return .released(nil)
    }
}
