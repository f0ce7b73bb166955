// What is released, when, and in which order.

extension Lifecycle {
    /// Whether `point` has begun: from then on nothing of it can be acquired any more (rule 12).
    func hasBegun(_ point: ReleasePoint, in scope: Int32) -> Bool {
        switch point {
        case .beforeResponse: self[scope: scope].phase >= .settling
        case .afterResponse: self[scope: scope].phase >= .closing
        }
    }

    /// Whether the entry is to be released, as soon as that can be.
    func isDue(_ place: Int32) -> Bool {
        switch entries[place].state {
        case .late, .awaitingUses, .parked, .overdueUses: true
        case .held: entries[place].early != nil || hasBegun(entries[place].point, in: entries[place].scope)
        default: false
        }
    }

    /// Something about an entry has changed: perhaps it can be released now.
    mutating func reconsider(_ place: Int32) {
        agenda.append(entries[place].scope)
        makeReady(place)
    }

    /// Puts an entry among those that can be released, if it can.
    mutating func makeReady(_ place: Int32) {
        let scope = entries[place].scope
        guard !entries[place].isReady, isReleasable(place) else { return }
        let rank = rank(of: place)
        entries[place].isReady = true
        var list = self[scope: scope].ready
        // Nearly always the last or the first.
        var after = list.last
        if list.first >= 0, self.rank(of: list.first) > rank { after = -1 }
        while after >= 0, self.rank(of: after) > rank { after = entries[after].readyLinks.previous }
        entries.insert(place, after: after, in: &list, .other)
        self[scope: scope].ready = list
    }

    /// The entry is none of those any more that can be released.
    mutating func leaveReady(_ place: Int32) {
        guard entries[place].isReady else { return }
        entries[place].isReady = false
        var list = self[scope: entries[place].scope].ready
        entries.remove(place, from: &list, .other)
        self[scope: entries[place].scope].ready = list
    }

    /// Whether an entry is due and nothing that is built on it stands in the way.
    ///
    /// What a child has built on it is waited for as its own bodies of `use` are; but not by a scope that closes, whose
    /// children have closed, or have had their time.
    private func isReleasable(_ place: Int32) -> Bool {
        guard isDue(place), entries[place].ownDependents == 0 else { return false }
        switch entries[place].state {
        case .awaitingUses, .parked, .overdueUses: return !isUsed(place)
        default: return entries[place].foreignDependents == 0 || self[scope: entries[place].scope].phase < .closing
        }
    }

    private func isUsed(_ place: Int32) -> Bool { entries[place].uses > 0 || entries[place].foreignDependents > 0 }

    /// What came late or was waited for goes first, then what is released early, then the last of the point.
    private func rank(of place: Int32) -> Int {
        let kind = entries[place].state != .held ? 2 : entries[place].early != nil ? 1 : 0
        return kind << 48 | entries[place].order
    }

    /// Starts the next release of a scope.
    ///
    /// - Returns: Whether there was one.
    mutating func releaseNext(in scope: Int32, _ actions: inout [Action]) -> Bool {
        while true {
            let place = self[scope: scope].ready.last
            guard place >= 0 else { return false }
            guard isReleasable(place) else {
                leaveReady(place)
                continue
            }
            if rank(of: place) >> 48 == 0, isWaiting(scope) || self[scope: scope].awaiting > 0 { return false }
            leaveReady(place)
            if entries[place].isReadable { actions.append(.withdraw(entries.id(at: place))) }
            guard isUsed(place) else {
                release(place, &actions)
                return true
            }
            // What is released early does not wait for it: those who use this may wait for that.
            let isParked = self[scope: scope].phase == .closing && entries[place].uses == entries[place].foreignUses
            entries[place].state = isParked ? .parked : .awaitingUses
            if !isParked { self[scope: scope].awaiting += 1 }
            actions.append(.awaitUses(entries.id(at: place)))
        }
    }

    private mutating func release(_ place: Int32, _ actions: inout [Action]) {
        forgetMemos(of: place, &actions)
        awaitNoLonger(place)
        actions.append(.release(entries.id(at: place), beginRelease(of: place)))
    }

    /// - Returns: What the release is told.
    mutating func beginRelease(of place: Int32) -> RequestOutcome.Verdict {
        let told = verdict(for: place)
        entries[place].told = told
        entries[place].state = .releasing
        self[scope: entries[place].scope].releasing = place
        return told
    }

    /// The scope waits no longer for those who use an entry's value.
    mutating func awaitNoLonger(_ place: Int32) {
        if entries[place].state == .awaitingUses { self[scope: entries[place].scope].awaiting -= 1 }
    }

    /// What a release is told (rules 10, 14 and 15).
    private func verdict(for place: Int32) -> RequestOutcome.Verdict {
        if entries[place].state == .late { return .rollback }
        if let early = entries[place].early { return early }
        let scope = self[scope: entries[place].scope]
        guard scope.verdict == .commit else { return .rollback }
        return switch entries[place].beginning {
        case .inTime: .commit
        case .afterRequestSettled: scope.isForced && !scope.isCompleted ? .rollback : .commit
        case .afterSettled: scope.isCompleted ? .commit : .rollback
        }
    }

    mutating func released(_ place: Int32, failed: Bool, _ actions: inout [Action]) {
        let state = entries[place].state
        guard state == .releasing || state == .overdueRelease else { return }
        let scope = entries[place].scope
        if self[scope: scope].releasing == place { self[scope: scope].releasing = -1 }
        if failed, state == .releasing { spoil(.failed, by: place) }
        if failed { tell(failureOf: place, &actions) }
        resumeReleaseWaiters(of: place, .released(entries.id(at: place)), &actions)
        // It stays, so that it is not acquired again.
        let isSpent =
            entries[place].form == .around && entries[place].early != nil && !hasBegun(entries[place].point, in: scope)
        if isSpent {
            finish(place)
            entries[place].state = .spent
        } else {
            end(place, &actions)
        }
    }

    mutating func lost(_ place: Int32, _ actions: inout [Action]) {
        switch entries[place].state {
        case .releasing, .overdueRelease: return released(place, failed: true, &actions)
        case .acquiring, .cancelling, .overdueFlight, .lost, .spent, .kept: return
        case .held:
            if entries[place].isReadable { actions.append(.withdraw(entries.id(at: place))) }
            spoil(.failed, by: place)
        case .late, .overdueUses: break
        case .awaitingUses, .parked:
            spoil(.failed, by: place)
            awaitNoLonger(place)
        }
        // Its rank is another one now: others are put where they belong beside it.
        leaveReady(place)
        forgetMemos(of: place, &actions)
        tell(failureOf: place, &actions)
        resumeQueue(of: place, .lost, &actions)
        resumeReleaseWaiters(of: place, .released(entries.id(at: place)), &actions)
        leaveBodies(of: place)
        finish(place)
        entries[place].state = .lost
    }

    /// Tells the failure of an early release to those who wait for that of what it was built on.
    private mutating func tell(failureOf failed: Int32, _ actions: inout [Action]) {
        guard entries[failed].early != nil else { return }
        let failure = entries.id(at: failed)
        for id in entries[failed].releasedFor.all where id != failure {
            guard let place = entries.place(of: id), !entries[place].releaseWaiters.isEmpty else { continue }
            actions.append(.tell(id, failureOf: failure))
        }
    }

    /// A release that goes wrong turns the verdict of a request that was to commit, and its response (rules 16 and 17).
    ///
    /// One that was to roll back does not; nor does an early one of what is released after the response, which is its
    /// caller's affair.
    mutating func spoil(_ response: Response, by place: Int32) {
        if turnsVerdict(place) { spoil(response, entries[place].scope) }
    }

    func turnsVerdict(_ place: Int32) -> Bool {
        let told = entries[place].told ?? verdict(for: place)
        guard told == .commit, entries[place].early == nil || entries[place].point == .beforeResponse else {
            return false
        }
        return canTurn(entries[place].scope)
    }

    private func canTurn(_ scope: Int32) -> Bool {
        self[scope: scope].phase <= .settling && self[scope: scope].verdict == .commit
    }

    /// The success that the opener intends cannot be promised.
    mutating func spoil(_ response: Response, _ scope: Int32) {
        guard canTurn(scope) else { return }
        self[scope: scope].verdict = .rollback
        self[scope: scope].response = response
    }
}

// MARK: - Early release

/// Who wants a resource released before its point.
struct EarlyRelease: Hashable, Sendable {
    /// The scope that owns the resource.
    var scope = Lifecycle.rootScope
    let resource: Int
    let verdict: RequestOutcome.Verdict
    /// The activity that the caller is inside of.
    var inside: Lifecycle.Activity?
}

extension Lifecycle {
    /// The answer to a caller that wants a resource released.
    enum EarlyAdmission: Hashable, Sendable {
        /// The caller waits for the release.
        case wait(call: Int)
        case nothingHeld
        case timedOut
        case refuse(Refusal)
    }

    /// Releases a resource and all that is built on it (rule 14).
    mutating func releaseEarly(_ request: EarlyRelease, _ actions: inout [Action]) -> EarlyAdmission {
        forgetClosed()
        guard let scope = scopePlace(of: request.scope), self[scope: scope].phase != .closed else {
            return .refuse(.closed)
        }
        guard let place = entry(of: request.resource, in: scope) else { return .nothingHeld }
        let inside = request.inside.flatMap(node)
        switch entries[place].state {
        case .acquiring, .cancelling, .overdueFlight, .late, .lost, .spent, .kept: return .nothingHeld
        case .overdueUses, .overdueRelease: return .timedOut
        case .held, .awaitingUses, .parked, .releasing: break
        }
        guard entries[place].early != nil || !hasBegun(entries[place].point, in: scope) else {
            // Its point releases it, with another verdict perhaps.
            return .refuse(entries[place].state == .held ? .pointBegan : .released)
        }
        let due = entriesBuilt(on: place)
        if let refusal = refusal(toRelease: due, in: scope, inside) { return .refuse(refusal) }
        let marked = due.filter { entries[$0].state == .held && entries[$0].early == nil }
        for place in marked { entries[place].early = request.verdict }
        if let refusal = refusal(toWaitFor: .entry(place), inside) {
            for place in marked { entries[place].early = nil }
            return .refuse(refusal)
        }
        let (id, call) = add(.release, place, inside)
        calls.append(call, to: &entries[place].releaseWaiters, .owner)
        for dependent in due { _ = entries[dependent].releasedFor.insert(entries.id(at: place)) }
        for place in marked {
            actions.append(.withdraw(entries.id(at: place)))
            forgetMemos(of: place, &actions)
            // Its turn is another one now.
            leaveReady(place)
            reconsider(place)
        }
        goOn(&actions)
        return .wait(call: id)
    }

    /// Why entries cannot be released: somebody uses them who would wait for it, or whom it would not wait for.
    private func refusal(toRelease due: [Int32], in scope: Int32, _ inside: Node?) -> Refusal? {
        for place in due {
            let id = entries.id(at: place)
            if entries[place].isFlying || entries[place].scope != scope { return .inUse(by: id) }
            if isInsideBody(inside, of: place) { return .inUse(by: id) }
            // It will be built on this when it has had its turn.
            for call in calls.places(in: entries[place].queue, .owner) {
                guard let user = entry(around: calls[call].inside), entries[user].isFlying else { continue }
                return .inUse(by: entries.id(at: user))
            }
        }
        return nil
    }

    /// The entry and all that is built on it, however far.
    private func entriesBuilt(on place: Int32) -> [Int32] {
        var due = [place]
        var seen: Set<Int32> = [place]
        var next = 0
        while next < due.count {
            for id in entries[due[next]].dependents.all {
                if let dependent = entries.place(of: id), seen.insert(dependent).inserted { due.append(dependent) }
            }
            next += 1
        }
        return due
    }
}
