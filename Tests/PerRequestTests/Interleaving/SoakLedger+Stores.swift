@testable import PerRequest

/// What the stores of a request of the soak go through.
extension SoakLedger: RequestObserver {
    func settled(_ store: Int, _ verdict: RequestOutcome.Verdict) {
        change { state in
            if let settled = state.stores[store]?.settled, settled != verdict {
                state.problems.append("15: the verdict of \(store) was \(settled) and became \(verdict)")
            }
            if verdict == .commit, let failed = state.stores[store]?.failedCommit {
                state.problems.append("16: \(store) commits, and the commit of \(failed) failed")
            }
            state.stores[store]?.settled = verdict
            state.log.append("store \(store): \(verdict)")
        }
    }

    func observe(_ event: RequestEvent) {
        events.observe(event)
        let number = event.store.number
        switch event.kind {
        case .opened: opened(event.store)
        case .settled(let verdict): settled(number, verdict)
        case .acquired: change { $0.stores[number]?.acquired += 1 }
        case .released: change { $0.stores[number]?.released += 1 }
        case .closed(let outcome): closed(event.store, outcome: outcome)
        default: break
        }
    }

    private func opened(_ store: RequestStore) {
        let (number, parent) = (store.number, store.core.parent?.number)
        SoakSlots.shared.opened(store)
        change { state in
            if state.stores[number] != nil { state.problems.append("1: \(number) opened twice") }
            state.stores[number] = Store(parent: parent)
            state.log.append("store \(number): opened in \(parent ?? 0)")
        }
    }

    private func closed(_ store: RequestStore, outcome: RequestOutcome) {
        let (number, isRoot) = (store.number, store.core.parent == nil)
        SoakSlots.shared.closed()
        settled(number, outcome.verdict)
        change { state in
            state.log.append("store \(number): closed")
            if state.stores[number] == nil { state.problems.append("1: \(number) closed before it was opened") }
            state.stores[number]?.closed += 1
            if state.stores[number]?.closed != 1 { state.problems.append("1: \(number) closed twice") }
            for (child, store) in state.stores where store.parent == number && store.closed == 0 {
                state.problems.append("4: \(number) closed before its child \(child)")
            }
            if let store = state.stores[number], store.acquired != store.released {
                state.problems.append("12: \(number) closed, \(store.acquired) acquired, \(store.released) released")
            }
            for (id, instance) in state.instances.enumerated() where instance.store == number {
                guard instance.state != .ended else { continue }
                state.problems.append("12: \(number) closed, \(id) is \(instance.state)")
            }
            if outcome.verdict == .rollback, let committed = state.stores[number]?.committed {
                state.problems.append("15: \(number) rolled back, \(committed) was told to commit")
            }
        }
        // Several threads may tell it of what they have closed.
        let isOver = change { state in
            state.isRootClosed = state.isRootClosed || isRoot
            return state.isRootClosed && state.stores.allSatisfy { $0.value.closed > 0 }
        }
        if isOver { allClosed.fire() }
    }

    // MARK: The end

    func finish() {
        var broken = events.problems.map { "events: \($0)" } + events.open.map { "events: \($0) is left" }
        if !noted.counts.isEmpty {
            broken += (noted.problems + noted.open.map { "\($0) is left" } + differences).map { "log: \($0)" }
        }
        change { state in
            state.problems += broken
            for (number, store) in state.stores where store.closed != 1 {
                state.problems.append("1: \(number) opened, closed \(store.closed) times")
            }
            for (id, instance) in state.instances.enumerated() {
                if instance.state != .ended { state.problems.append("12: \(id) is left \(instance.state)") }
                if instance.users.contains(where: { if case .body = $0 { true } else { false } }) {
                    state.problems.append("a body of \(id) is left")
                }
            }
        }
    }
}
