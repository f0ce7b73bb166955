@testable import PerRequest

/// What a lifecycle has been told and has asked for, kept apart from the lifecycle, and the rules that must hold for it.
///
/// It knows only events and actions. Each transition is checked; what is over is forgotten, so that equal situations are
/// equal values.
struct LifecycleModel: Hashable {
    struct Entry: Hashable {
        let resource: Int
        let point: ReleasePoint
        let form: Lifecycle.Form
        var isFlying = true
        var isCancelled = false
        /// Its stage took too long: nobody waits for it any more.
        var isOverdue = false
        /// It arrived too late.
        var isLate = false
        var isLost = false
        var isReleasing = false
        var awaitsUses = false
        var early: RequestOutcome.Verdict?
        var isSpent = false
        var order: Int?
        var uses = 0
        var waiters: Set<Int> = []
        var dependencies: Set<Int> = []

        var isAlive: Bool { !isLost && !isSpent }
        var isHeld: Bool { order != nil && !isReleasing && isAlive && !isLate }
    }

    var entries: [Int: Entry] = [:]
    var earlyWaiters: [Int: Int] = [:]
    var children: [Int] = []
    var published = 0
    var started: [Int: Int] = [:]
    var asked: [Int: Int] = [:]
    var dependentWaiters: Set<Int> = []

    var failed = false
    var lost = false
    var settleSent = false
    var closeSent = false
    var succeeded = false
    var spoiled = false
    var proceededBefore = false
    var proceededAfter = false
    var budgetSpent = false
    var isClosed = false
    var verdict: RequestOutcome.Verdict?

    /// The rules that the last transition broke.
    var violations: [String] = []

    var beforeBegan: Bool { settleSent || closeSent }
    var afterBegan: Bool { closeSent && proceededBefore }

    func hasBegun(_ point: ReleasePoint) -> Bool {
        switch point {
        case .beforeResponse: beforeBegan
        case .afterResponse: afterBegan
        }
    }

    func hasDependents(_ id: Int) -> Bool {
        entries.contains { $0.key != id && $0.value.isAlive && $0.value.dependencies.contains(id) }
    }

    private mutating func check(_ holds: Bool, _ rule: String) {
        if !holds { violations.append(rule) }
    }

    // MARK: - Events

    mutating func note(_ event: Lifecycle.Event) {
        switch event {
        case .arrived(let id):
            guard var entry = entries[id] else { return }
            entry.isFlying = false
            entry.isLate = entry.isCancelled
            entry.order = published
            published += 1
            entries[id] = entry
        case .flightFailed(let id): entries[id]?.isFlying = false
        case .lost(let id):
            let isLate = entries[id]?.isLate ?? true
            entries[id]?.isLost = true
            if isLate || earlyWaiters.values.contains(id) { return }
            if !beforeBegan { lost = true } else { spoil(id) }
        case .useEnded(let id): entries[id]?.uses -= 1
        case .released(let id, let isFailure):
            guard let entry = entries[id] else { return }
            if isFailure, !entry.isOverdue { spoil(id) }
            // An `around` resource that was released early stays, so that it is not acquired again.
            if entry.form == .around, entry.early != nil, !hasBegun(entry.point) {
                entries[id]?.isSpent = true
                entries[id]?.isReleasing = false
            }
        case .deadline(let id, let stage):
            guard stage != .acquiring else { return }
            entries[id]?.isOverdue = true
            if stage != .cancelling { spoil(id) }
        case .budgetSpent:
            budgetSpent = true
            if beforeBegan, !proceededBefore { spoiled = true }
        case .childClosed(let child): children.removeAll { $0 == child }
        case .fail: if !beforeBegan { failed = true }
        case .settle(let success):
            if !beforeBegan { succeeded = success }
            settleSent = true
        case .close(let success):
            if !beforeBegan { succeeded = success }
            closeSent = true
        case .waiterCancelled, .releaseEarly: break
        }
    }

    /// A release that goes wrong while the point before the response is under way.
    private mutating func spoil(_ id: Int) {
        if beforeBegan, !proceededBefore, entries[id]?.early == nil { spoiled = true }
    }

    // MARK: - Actions

    mutating func note(_ action: Lifecycle.Action) {
        switch action {
        case .acquired(let id):
            check(entries[id]?.order != nil && entries[id]?.form != .memo, "10: registered without a value")
        case .resume(let waiter, let resumption): resumed(waiter, resumption)
        case .cancelFlight(let id):
            check(entries[id]?.isFlying == true, "9: cancelled what is no flight")
            check(entries[id]?.isCancelled == false, "13: cancelled twice")
            entries[id]?.isCancelled = true
            for other in entries.keys { entries[other]?.dependencies.remove(id) }
        case .awaitUses(let id):
            check((entries[id]?.uses ?? 0) > 0, "14: waits for no use")
            entries[id]?.awaitsUses = true
        case .release(let id, let reason): released(id, reason)
        case .cancelRelease(let id): check(entries[id]?.isReleasing == true, "13: cancelled what is no release")
        case .overran(let id, _): check(entries[id] != nil, "13: reported what is not there")
        case .budgetOverran: check(budgetSpent, "13: reported a budget that was not spent")
        case .closeChild(let child):
            check(afterBegan, "4: closed a child before its parent closes")
            check(children.last == child, "4: closed a child out of order")
        case .forget(let id): forgot(id)
        case .proceed(.beforeResponse):
            check(beforeBegan && !proceededBefore, "1: settled out of turn")
            checkProceed(.beforeResponse)
            proceededBefore = true
            budgetSpent = budgetSpent && closeSent
        case .proceed(.afterResponse):
            check(afterBegan && !proceededAfter, "1: closed out of turn")
            check(children.isEmpty || budgetSpent, "4: closed before its children")
            checkProceed(.afterResponse)
            proceededAfter = true
        case .closed:
            check(proceededAfter && !isClosed, "1: closed twice or too early")
            check(children.isEmpty, "4: a child outlives its parent")
            check(entries.isEmpty, "6: closed while something is held")
            isClosed = true
        }
    }

    private mutating func resumed(_ waiter: Int, _ resumption: Lifecycle.Resumption) {
        if let entry = earlyWaiters.removeValue(forKey: waiter) {
            switch resumption {
            case .released(let id): check(id == entry, "14: told of another release")
            case .inUse, .nothingHeld, .releaseTimedOut: break
            case .value, .failure, .cancelled, .timedOut, .pointBegan:
                check(false, "14: an early release was answered wrongly")
            }
            return
        }
        guard let id = entries.first(where: { $0.value.waiters.contains(waiter) })?.key else {
            return check(false, "9: a waiter got a second answer")
        }
        entries[id]?.waiters.remove(waiter)
        switch resumption {
        case .value(let other):
            check(
                other == id && entries[id]?.order != nil && entries[id]?.isLate == false,
                "9: a value that is not there"
            )
            if waiter.isPinned { entries[id]?.uses += 1 }
        case .failure(let other):
            check(other == id && entries[id]?.isFlying == false, "9: a failure that did not happen")
        case .pointBegan: check(hasBegun(entries[id]?.point ?? .afterResponse), "9: cancelled for no reason")
        case .cancelled, .timedOut: break
        case .released, .nothingHeld, .inUse, .releaseTimedOut: check(false, "9: answered as a release")
        }
    }

    private mutating func released(_ id: Int, _ reason: Lifecycle.ReleaseReason) {
        guard let entry = entries[id] else { return check(false, "12: released what is not there") }
        check(entry.order != nil, "12: released without a value")
        check(!entry.isReleasing, "12: released twice")
        check(entry.isAlive, "17: released what was lost")
        check(entry.uses == 0, "14: released under a body that uses it")
        check(!hasDependents(id), "13: released before what depends on it")
        let running = entries.contains {
            $0.key != id && ($0.value.isReleasing || $0.value.awaitsUses) && !$0.value.isOverdue
        }
        check(!running, "12: two releases at a time")
        switch reason {
        case .late: check(entry.isLate, "10: released as late")
        case .early(let verdict):
            check(entry.early == verdict, "14: released early unasked")
        case .point:
            check(hasBegun(entry.point), "12: released before its point")
            check(!entry.isLate, "10: a late value was told to commit")
            check(entry.early == nil, "14: an early release was told another verdict")
            let flights = entries.values.contains {
                $0.isFlying && $0.isCancelled && !$0.isOverdue && hasBegun($0.point)
            }
            check(!flights || entry.awaitsUses, "12: released before the flights of the point have ended")
            check(
                !afterBegan || children.isEmpty || proceededAfter || entry.awaitsUses,
                "4: released before the children closed"
            )
            let later = entries.contains { other, value in
                value.isHeld && hasBegun(value.point) && (value.order ?? 0) > (entry.order ?? 0) && !value.awaitsUses
                    && !hasDependents(other)
            }
            check(!later || entry.awaitsUses || entry.isOverdue, "12: not the last acquired first")
        }
        entries[id]?.isReleasing = true
        entries[id]?.awaitsUses = false
        entries[id]?.isOverdue = false
    }

    private mutating func forgot(_ id: Int) {
        guard let entry = entries[id] else { return check(false, "13: forgot what is not there") }
        check(!entry.isFlying, "13: forgot a flight that runs")
        check(entry.waiters.isEmpty, "9: a waiter is left hanging")
        if entry.order != nil, entry.form != .memo, entry.isAlive {
            check(entry.isReleasing, "12: forgot what is held")
        }
        entries[id] = nil
    }

    private mutating func checkProceed(_ point: ReleasePoint) {
        guard !budgetSpent else { return }
        for (id, entry) in entries where hasBegun(entry.point) && entry.isAlive && !entry.isOverdue {
            if entry.isFlying { check(false, "12: went on while a flight of the point runs") }
            if entry.isReleasing { check(false, "12: went on while a release runs") }
            if entry.isHeld { check(hasDependents(id), "12: went on without a release") }
        }
    }

    // MARK: - What holds after every transition

    mutating func check(_ lifecycle: Lifecycle) {
        if proceededBefore {
            if verdict == nil {
                verdict = lifecycle.verdict
                let isCommit = succeeded && !failed && !lost && !spoiled
                check(lifecycle.verdict == (isCommit ? .commit : .rollback), "15, 16: the wrong verdict")
                let mustReplace = succeeded && !failed && (lost || spoiled)
                check((lifecycle.response != .asIntended) == mustReplace, "16: the wrong response")
            }
            check(verdict == lifecycle.verdict, "15: the verdict changed after settling")
        }
        for entry in entries.values where !entry.waiters.isEmpty {
            check(entry.isFlying && !entry.isCancelled, "9: a waiter is left hanging")
        }
        check(lifecycle.phase == .closed || !isClosed, "1: a phase was left backwards")
        check(isClosed == (lifecycle.phase == .closed), "1: closed without saying so")
        check(Set(lifecycle.entries.map(\.id)) == Set(entries.keys), "13: lost count of what is held")
        // Something is always under way while the opener waits, or what arrived late waits for its release.
        let running = entries.values.contains {
            ($0.isFlying || $0.isReleasing || $0.awaitsUses || $0.uses > 0) && $0.isAlive
        }
        let isWaited = (beforeBegan && !proceededBefore) || (afterBegan && !isClosed)
        check(!isWaited || running || !children.isEmpty, "12: waits for nothing")
        let isForgotten = entries.values.contains { $0.order != nil && $0.isLate && $0.isAlive && !$0.isReleasing }
        check(!isForgotten || running, "10: a late value is never released")
        let isEarlyForgotten = entries.values.contains { $0.early != nil && $0.isHeld }
        check(!isEarlyForgotten || running, "14: an early release never happens")
    }
}

extension Int {
    /// Waiters that use the value in a body have odd numbers.
    var isPinned: Bool { !isMultiple(of: 2) }
}
