// MARK: - Points

extension Lifecycle {
    mutating func settle(success: Bool, _ actions: inout [Action]) {
        guard phase == .open else { return }
        if !success { verdict = .rollback }
        if hasLostResource, verdict == .commit {
            verdict = .rollback
            response = .failed
        }
        begin(.settling, &actions)
    }

    mutating func close(success: Bool, _ actions: inout [Action]) {
        guard !closeRequested else { return }
        closeRequested = true
        switch phase {
        case .open: settle(success: success, &actions)
        case .settled: begin(.closing, &actions)
        case .settling, .closing, .closed: break
        }
    }

    /// Settles a store that holds nothing, for what `settle` comes to there: to proceed at once.
    ///
    /// What was lost is still an entry.
    ///
    /// - Returns: Whether it did; otherwise nothing has changed.
    mutating func settleIfEmpty(success: Bool) -> Bool {
        guard phase == .open, entries.isEmpty else { return false }
        if !success { verdict = .rollback }
        phase = .settled
        return true
    }

    /// Closes a settled store that holds nothing, for what `close` comes to there: to proceed and be closed at once.
    ///
    /// - Returns: Whether it did; otherwise nothing has changed.
    mutating func closeIfEmpty() -> Bool {
        guard phase == .settled, !closeRequested, entries.isEmpty, children.isEmpty else { return false }
        closeRequested = true
        hasProceeded = true
        phase = .closed
        return true
    }

    /// Makes a lifecycle that was closed unused as it was before.
    mutating func reopen() {
        phase = .open
        closeRequested = false
        hasProceeded = false
    }

    private mutating func begin(_ phase: Phase, _ actions: inout [Action]) {
        self.phase = phase
        hasProceeded = false
        for index in entries.indices where hasBegun(entries[index].point) && entries[index].state == .acquiring {
            cancelFlight(at: index, .pointBegan, &actions)
        }
        if phase == .closing, let last = children.last { actions.append(.closeChild(last)) }
        advance(&actions)
    }

    mutating func childClosed(_ child: Int, _ actions: inout [Action]) {
        guard let index = children.lastIndex(of: child) else { return }
        let isLast = index == children.count - 1
        children.remove(at: index)
        guard phase == .closing else { return }
        if isLast, let next = children.last { actions.append(.closeChild(next)) }
        advance(&actions)
    }

    /// The point has taken too long: the opener goes on, and what is left goes on by itself (rule 13).
    mutating func budgetSpent(_ point: ReleasePoint, _ actions: inout [Action]) {
        switch (point, phase) {
        case (.beforeResponse, .settling):
            spoil(.overran)
        case (.afterResponse, .closing):
            guard !hasProceeded else { return }
        case (.afterResponse, .settling):
            // Closing settles first if that was not done; then both have to fit into one budget.
            guard closeRequested else { return }
            spoil(.overran)
            actions.append(.budgetOverran(.beforeResponse))
            proceed(&actions)
        default:
            return
        }
        actions.append(.budgetOverran(point))
        proceed(&actions)
        advance(&actions)
    }

    /// While settling to commit, a release that goes wrong turns the verdict for the rest (rule 16).
    ///
    /// An early release is its caller's affair.
    mutating func spoil(_ response: Response, for entry: Entry? = nil) {
        guard phase == .settling, verdict == .commit, entry?.earlyVerdict == nil else { return }
        verdict = .rollback
        self.response = response
    }

    private mutating func proceed(_ actions: inout [Action]) {
        switch phase {
        case .settling:
            phase = .settled
            actions.append(.proceed(.beforeResponse))
            if closeRequested { begin(.closing, &actions) }
        case .closing where !hasProceeded:
            hasProceeded = true
            actions.append(.proceed(.afterResponse))
        case .open, .settled, .closing, .closed:
            break
        }
    }
}

// MARK: - Releasing

extension Lifecycle {
    /// Starts the next release, or ends the phase when there is none.
    ///
    /// One release runs at a time.
    mutating func advance(_ actions: inout [Action]) {
        if entries.contains(where: { $0.state == .releasing || $0.state == .awaitingUses }) { return }
        if let index = nextToRelease {
            return release(at: index, &actions)
        }
        guard phase == .settling || phase == .closing, !isWaiting else { return }
        proceed(&actions)
        guard phase == .closing, hasProceeded, !entries.contains(where: \.state.isAlive), children.isEmpty else {
            return
        }
        phase = .closed
        for entry in entries { actions.append(.forget(entry.id)) }
        entries = []
        actions.append(.closed)
    }

    /// Whether the releases of the point under way wait: for flights that were cancelled, or for children to close.
    private var isWaiting: Bool {
        if phase == .closing, !children.isEmpty { return true }
        return entries.contains { $0.state == .cancelling && hasBegun($0.point) }
    }

    /// The entry to release now: what came late first, then what is released early, then the last of the point.
    private var nextToRelease: Int? {
        if let late = lastReleasable(where: { $0.state == .late || $0.state == .overdueUses }) { return late }
        if let early = lastReleasable(where: { $0.state == .held && $0.earlyVerdict != nil }) { return early }
        guard !isWaiting else { return nil }
        return lastReleasable { $0.state == .held && hasBegun($0.point) }
    }

    private func lastReleasable(where isDue: (Entry) -> Bool) -> Int? {
        entries.lastIndex { entry in
            isDue(entry) && !hasDependents(entry.id) && (entry.state != .overdueUses || entry.uses == 0)
        }
    }

    private mutating func release(at index: Int, _ actions: inout [Action]) {
        let entry = entries[index]
        guard entry.uses == 0 else {
            entries[index].state = .awaitingUses
            actions.append(.awaitUses(entry.id))
            return
        }
        let reason: ReleaseReason
        if entry.state == .late {
            reason = .late
        } else if let verdict = entry.earlyVerdict {
            reason = .early(verdict)
        } else {
            reason = .point
        }
        entries[index].state = .releasing
        actions.append(.release(entry.id, reason))
    }

    mutating func useEnded(_ id: Int, _ actions: inout [Action]) {
        guard let index = index(of: id), entries[index].uses > 0 else { return }
        entries[index].uses -= 1
        guard entries[index].uses == 0 else { return }
        switch entries[index].state {
        case .awaitingUses: release(at: index, &actions)
        case .overdueUses: advance(&actions)
        default: break
        }
    }

    mutating func released(_ id: Int, failed: Bool, _ actions: inout [Action]) {
        guard let index = index(of: id) else { return }
        let entry = entries[index]
        guard entry.state == .releasing || entry.state == .overdueRelease else { return }
        if failed, entry.state == .releasing { spoil(.failed, for: entry) }
        resumeEarlyWaiter(at: index, .released(id), &actions)
        if entry.form == .around, entry.earlyVerdict != nil, !hasBegun(entry.point) {
            entries[index].state = .spent
        } else {
            entries.remove(at: index)
            actions.append(.forget(id))
        }
        advance(&actions)
    }

    mutating func lost(_ id: Int, _ actions: inout [Action]) {
        guard let index = index(of: id) else { return }
        switch entries[index].state {
        case .held:
            if phase == .open {
                // Whoever releases it early is told.
                if entries[index].earlyWaiter == nil { hasLostResource = true }
            } else {
                spoil(.failed, for: entries[index])
            }
            entries[index].state = .lost
            resumeEarlyWaiter(at: index, .released(id), &actions)
            advance(&actions)
        case .late, .awaitingUses, .overdueUses:
            if entries[index].state == .awaitingUses { spoil(.failed, for: entries[index]) }
            entries[index].state = .lost
            resumeEarlyWaiter(at: index, .released(id), &actions)
            advance(&actions)
        case .releasing, .overdueRelease:
            released(id, failed: true, &actions)
        case .acquiring, .cancelling, .overdueFlight, .lost, .spent:
            break
        }
    }
}

// MARK: - Early release

extension Lifecycle {
    mutating func releaseEarly(
        _ resource: Int,
        _ verdict: RequestOutcome.Verdict,
        _ waiter: Int,
        _ actions: inout [Action]
    ) {
        guard let index = heldEntry(of: resource).flatMap(index), !hasBegun(entries[index].point) else {
            return actions.append(.resume(waiter: waiter, .nothingHeld))
        }
        var due: Set<Int> = []
        collectDependents(of: entries[index].id, into: &due)
        if let flight = entries.first(where: { due.contains($0.id) && $0.state.isFlying }) {
            return actions.append(.resume(waiter: waiter, .inUse(by: flight.id)))
        }
        for place in entries.indices where due.contains(entries[place].id) && entries[place].state == .held {
            if entries[place].earlyVerdict == nil { entries[place].earlyVerdict = verdict }
        }
        entries[index].earlyWaiter = waiter
        advance(&actions)
    }

    /// The entry and all that depend on it.
    func collectDependents(of id: Int, into due: inout Set<Int>) {
        guard due.insert(id).inserted else { return }
        for entry in entries where entry.state.isAlive && entry.dependencies.contains(id) {
            collectDependents(of: entry.id, into: &due)
        }
    }

    mutating func resumeEarlyWaiter(at index: Int, _ resumption: Resumption, _ actions: inout [Action]) {
        guard let waiter = entries[index].earlyWaiter else { return }
        entries[index].earlyWaiter = nil
        actions.append(.resume(waiter: waiter, resumption))
    }
}
