extension Lifecycle {
    enum Event: Hashable, Sendable {
        /// A flight produced its value.
        case arrived(Int)
        /// A flight ended without a value.
        case flightFailed(Int)
        /// An `around` function ended although its value was still in use (rule 17).
        case lost(Int)
        /// A release ended.
        case released(Int, failed: Bool)
        /// An entry has been in a stage for as long as it may be.
        case deadline(Int, Stage)
        /// The value of a memo is not wanted any more.
        case forgetMemo(Int)
        /// A caller no longer waits.
        case callCancelled(Int)
        /// A body of `use` ended.
        case callEnded(Int)
        /// The request, or what a child does, failed.
        case fail(Int)
        /// The opener knows the response and has not written it.
        case settle(Int, success: Bool)
        /// The opener is done with the request; `completed` says whether the response ended as it should.
        case close(Int, success: Bool, completed: Bool)
        /// A point has taken as long as it may.
        case budgetSpent(Int, ReleasePoint)
        /// The observer of a child that has closed was told so.
        case told(Int)
    }

    /// What has a time limit.
    enum Stage: Hashable, Sendable {
        case acquiring, cancelling, awaitingUses, releasing
    }

    enum Action: Hashable, Sendable {
        /// The value is there and will be released, sooner or later.
        case acquired(Int)
        /// The value cannot be read any more.
        case withdraw(Int)
        /// A memo's value can be kept.
        case keep(Int)
        case resume(call: Int, Resumption)
        case cancelFlight(Int)
        /// The release waits for bodies of `use`, or for what children have built on the value.
        case awaitUses(Int)
        /// The value is released, and told to last or not.
        case release(Int, RequestOutcome.Verdict)
        case cancelRelease(Int)
        /// A flight, a use or a release did not end in time; who released it early is told, if that is all it means.
        case overran(Int, Stage, isTold: Bool)
        /// A point did not end in time; what is left of it goes on by itself.
        case budgetOverran(Int, ReleasePoint)
        /// The release of the first failed: whoever waits for the early release of the second is told.
        case tell(Int, failureOf: Int)
        /// The entry has ended: nothing of it is held any more.
        case forget(Int)
        /// The memo's value is not to be kept any longer.
        case forgetMemo(Int)
        /// A scope was closed by its parent, with the same ending: the time it may take begins.
        case closeChild(Int)
        /// The opener can go on.
        case proceed(Int, ReleasePoint)
        /// All of a scope has ended: its values can be dropped.
        case closed(Int)
    }

    enum Resumption: Hashable, Sendable {
        case value(Int)
        case failure(Int)
        case cancelled
        case timedOut
        case pointBegan
        /// The `around` function ended.
        case lost
        /// A scope is closed inside of what the wait has to end for.
        case deadlock([Int])
        /// An early release has ended.
        case released(Int)
        /// An early release did not end in time.
        case releaseTimedOut
    }

    /// Takes an event and says what has to be done.
    ///
    /// An event that no longer applies does nothing.
    mutating func handle(_ event: Event) -> [Action] {
        var actions: [Action] = []
        handle(event, &actions)
        return actions
    }

    /// Takes an event and adds what has to be done to `actions`.
    mutating func handle(_ event: Event, _ actions: inout [Action]) {
        forgetClosed()
        switch event {
        case .arrived(let id): entries.place(of: id).map { arrived($0, &actions) }
        case .flightFailed(let id): entries.place(of: id).map { flightFailed($0, &actions) }
        case .lost(let id): entries.place(of: id).map { lost($0, &actions) }
        case .released(let id, let failed): entries.place(of: id).map { released($0, failed: failed, &actions) }
        case .deadline(let id, let stage): entries.place(of: id).map { deadline($0, stage, &actions) }
        case .forgetMemo(let id): entries.place(of: id).map { forgetMemo($0, &actions) }
        case .callCancelled(let id): callCancelled(id, &actions)
        case .callEnded(let id): callEnded(id, &actions)
        case .fail(let id): scopePlace(of: id).map { fail($0) }
        case .settle(let id, let success): scopePlace(of: id).map { settle($0, success: success, &actions) }
        case .close(let id, let success, let completed):
            scopePlace(of: id).map { close($0, success: success, completed: completed, &actions) }
        case .budgetSpent(let id, let point): scopePlace(of: id).map { budgetSpent($0, point, &actions) }
        case .told(let id): scopePlace(of: id).map { told($0) }
        }
        goOn(&actions)
    }
}

// MARK: - Flights

extension Lifecycle {
    private mutating func arrived(_ place: Int32, _ actions: inout [Action]) {
        guard entries[place].isFlying else { return }
        let id = entries.id(at: place)
        let scope = entries[place].scope
        let isInTime = entries[place].state == .acquiring
        if entries[place].state == .cancelling { noteCancelling(place, by: -1) }
        guard entries[place].form != .memo else { return memoArrived(place, isInTime: isInTime, &actions) }
        actions.append(.acquired(id))
        publish(place)
        entries[place].state = isInTime ? .held : .late
        if entries[place].form != .around { endActivity(.entry(place)) }
        giveValue(of: place, &actions)
        if !isInTime { reconsider(place) }
        agenda.append(scope)
    }

    /// Publishing is registering: the order of the entries is the order of acquisition (rule 10).
    mutating func publish(_ place: Int32) {
        let scope = entries[place].scope
        if self[scope: scope].entries.last != place {
            var list = self[scope: scope].entries
            entries.remove(place, from: &list, .owner)
            entries.append(place, to: &list, .owner)
            self[scope: scope].entries = list
        }
        entries[place].order = nextOrder()
    }

    /// A memo's value needs no release: it ends with what it was built on (rule 11).
    private mutating func memoArrived(_ place: Int32, isInTime: Bool, _ actions: inout [Action]) {
        let id = entries.id(at: place)
        let dependencies = entries[place].dependencies.all
        let isKept =
            isInTime && entries[place].early == nil
            && dependencies.allSatisfy { entries.place(of: $0).map { entries[$0].isReadable } ?? false }
        if isKept { actions.append(.keep(id)) }
        giveValue(of: place, &actions)
        // Where nothing but itself can end it, and nothing ends with it, it need not be known here.
        guard isKept, !dependencies.isEmpty || !entries[place].memos.isEmpty else { return end(place, &actions) }
        endActivity(.entry(place))
        freeBoundScopes(of: place)
        entries[place].state = .kept
        self[scope: entries[place].scope].alive -= 1
        unlink(place, keepsMemo: true)
        agenda.append(entries[place].scope)
    }

    private mutating func flightFailed(_ place: Int32, _ actions: inout [Action]) {
        guard entries[place].isFlying else { return }
        if entries[place].state == .cancelling { noteCancelling(place, by: -1) }
        resumeQueue(of: place, .failure(entries.id(at: place)), &actions)
        end(place, &actions)
    }

    mutating func cancelFlight(_ place: Int32, _ resumption: Resumption, _ actions: inout [Action]) {
        resumeQueue(of: place, resumption, &actions)
        entries[place].state = .cancelling
        noteCancelling(place, by: 1)
        actions.append(.cancelFlight(entries.id(at: place)))
    }

    private mutating func noteCancelling(_ place: Int32, by number: Int32) {
        switch entries[place].point {
        case .beforeResponse: self[scope: entries[place].scope].cancellingBefore += number
        case .afterResponse: self[scope: entries[place].scope].cancellingAfter += number
        }
    }

    private mutating func deadline(_ place: Int32, _ stage: Stage, _ actions: inout [Action]) {
        let scope = entries[place].scope
        let isTold = isReleasedForSomebody(place) && !turnsVerdict(place)
        switch (stage, entries[place].state) {
        case (.acquiring, .acquiring):
            return cancelFlight(place, .timedOut, &actions)
        case (.cancelling, .cancelling):
            noteCancelling(place, by: -1)
            entries[place].state = .overdueFlight
        case (.awaitingUses, .awaitingUses), (.awaitingUses, .parked):
            // If it is used no more, it waits for nothing but another release.
            guard !entries[place].isReady else { return }
            awaitNoLonger(place)
            entries[place].state = .overdueUses
            spoil(.overran, by: place)
        case (.releasing, .releasing):
            // An `around` resource cannot be acquired again.
            if entries[place].form != .around { unnote(place) }
            entries[place].state = .overdueRelease
            self[scope: scope].releasing = -1
            actions.append(.cancelRelease(entries.id(at: place)))
            spoil(.overran, by: place)
        default:
            return
        }
        actions.append(.overran(entries.id(at: place), stage, isTold: isTold))
        // Whoever waits for it, or for something that has to wait for it, waits no longer.
        forEachDependency(of: place) { $0.resumeReleaseWaiters(of: $1, .releaseTimedOut, &actions) }
        agenda.append(scope)
    }

    /// Does something with the entry and all that it is built on.
    mutating func forEachDependency(of place: Int32, _ body: (inout Lifecycle, Int32) -> Void) {
        var seen: Set<Int32> = [place]
        var open = [place]
        while let place = open.popLast() {
            for id in entries[place].dependencies.all {
                if let next = entries.place(of: id), seen.insert(next).inserted { open.append(next) }
            }
            body(&self, place)
        }
    }

    // MARK: Memos

    /// Forgets a memo's value, and those of the memos that were built on it; one that is still to come is not kept.
    mutating func forgetMemo(_ place: Int32, _ actions: inout [Action]) {
        if entries[place].isFlying, entries[place].form == .memo { entries[place].early = .commit }
        var open = [place]
        while let place = open.popLast() {
            guard entries[place].state == .kept else { continue }
            for id in entries[place].memos.all { if let memo = entries.place(of: id) { open.append(memo) } }
            forgetEntry(place, &actions)
        }
    }

    /// Forgets the values of the memos that were built on an entry.
    mutating func forgetMemos(of place: Int32, _ actions: inout [Action]) {
        for id in entries[place].memos.all { if let memo = entries.place(of: id) { forgetMemo(memo, &actions) } }
    }

    // MARK: Ending

    /// The entry has ended, and nothing of it is left.
    mutating func end(_ place: Int32, _ actions: inout [Action]) {
        finish(place)
        forgetEntry(place, &actions)
    }

    /// The entry has ended: what it was built on is free, and so are those who claim and the scopes that belong to it.
    mutating func finish(_ place: Int32) {
        endActivity(.entry(place))
        unclaim(by: place)
        unclaim(by: entries[place].claimant)
        freeBoundScopes(of: place)
        unlink(place)
        let scope = entries[place].scope
        self[scope: scope].alive -= 1
        agenda.append(scope)
    }

    /// Removes an entry that has ended, or a memo's value.
    mutating func forgetEntry(_ place: Int32, _ actions: inout [Action]) {
        if entries[place].form == .memo { unlink(place) }
        let id = entries.id(at: place)
        actions.append(entries[place].state == .kept ? .forgetMemo(id) : .forget(id))
        removeEntry(place)
    }

    mutating func removeEntry(_ place: Int32) {
        unnote(place)
        leaveReady(place)
        leaveBodies(of: place)
        let scope = entries[place].scope
        var list = self[scope: scope].entries
        entries.remove(place, from: &list, .owner)
        self[scope: scope].entries = list
        entries.remove(at: place)
    }
}
