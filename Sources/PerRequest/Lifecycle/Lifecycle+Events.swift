extension Lifecycle {
    enum Event: Hashable, Sendable {
        /// A flight produced its value.
        case arrived(Int)
        /// A flight ended without a value.
        case flightFailed(Int)
        /// An `around` function ended although its value was still in use (rule 17).
        case lost(Int)
        /// A body of `use` ended.
        case useEnded(Int)
        /// A release ended.
        case released(Int, failed: Bool)
        /// A caller no longer waits for the entry.
        case waiterCancelled(Int, entry: Int)
        /// A caller wants the resource released now (rule 14).
        case releaseEarly(resource: Int, RequestOutcome.Verdict, waiter: Int)
        /// An entry has been in a stage for as long as it may be.
        case deadline(Int, Stage)
        /// A point has taken as long as it may.
        case budgetSpent(ReleasePoint)
        /// A child scope has closed.
        case childClosed(Int)
        /// The request failed.
        case fail
        /// The opener knows the response and has not written it.
        case settle(success: Bool)
        /// The opener is done with the request.
        case close(success: Bool)
    }

    /// What has a time limit.
    enum Stage: Hashable, Sendable {
        case acquiring, cancelling, awaitingUses, releasing
    }

    enum Action: Hashable, Sendable {
        /// The value is there and will be released, sooner or later.
        case acquired(Int)
        case resume(waiter: Int, Resumption)
        case cancelFlight(Int)
        /// The release waits for bodies of `use`.
        case awaitUses(Int)
        case release(Int, ReleaseReason)
        case cancelRelease(Int)
        /// A flight, a use or a release did not end in time.
        case overran(Int, Stage)
        /// A point did not end in time; what is left of it goes on by itself.
        case budgetOverran(ReleasePoint)
        case closeChild(Int)
        /// The entry has ended: nothing of it is held any more.
        case forget(Int)
        /// The opener can go on.
        case proceed(ReleasePoint)
        /// All has ended: the values can be dropped.
        case closed
    }

    /// Why a release runs, which decides what verdict it is told.
    enum ReleaseReason: Hashable, Sendable {
        /// Its point has begun: the request's verdict.
        case point
        /// It arrived too late: roll back.
        case late
        /// A caller released it early and named the verdict.
        case early(RequestOutcome.Verdict)
    }

    enum Resumption: Hashable, Sendable {
        case value(Int)
        case failure(Int)
        case cancelled
        case timedOut
        case pointBegan
        /// An early release has ended.
        case released(Int)
        /// An early release did not end in time.
        case releaseTimedOut
        /// There was nothing to release.
        case nothingHeld
        /// It cannot be released: this entry's factory is using it.
        case inUse(by: Int)
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
        switch event {
        case .arrived(let id): arrived(id, &actions)
        case .flightFailed(let id): flightFailed(id, &actions)
        case .lost(let id): lost(id, &actions)
        case .useEnded(let id): useEnded(id, &actions)
        case .released(let id, let failed): released(id, failed: failed, &actions)
        case .waiterCancelled(let waiter, let entry): waiterCancelled(waiter, entry, &actions)
        case .releaseEarly(let resource, let verdict, let waiter): releaseEarly(resource, verdict, waiter, &actions)
        case .deadline(let id, let stage): deadline(id, stage, &actions)
        case .budgetSpent(let point): budgetSpent(point, &actions)
        case .childClosed(let child): childClosed(child, &actions)
        case .fail: if phase == .open { verdict = .rollback }
        case .settle(let success): settle(success: success, &actions)
        case .close(let success): close(success: success, &actions)
        }
    }

    /// Registers a child scope (rule 4).
    ///
    /// - Returns: False if the parent is closing: a child of it would have nothing to live in.
    mutating func openChild(_ child: Int) -> Bool {
        guard isOwned, phase < .closing else { return false }
        children.append(child)
        return true
    }
}

// MARK: - Flights

extension Lifecycle {
    private mutating func arrived(_ id: Int, _ actions: inout [Action]) {
        guard let index = index(of: id), entries[index].state.isFlying else { return }
        // Publishing is registering: the order of the entries is the order of acquisition (rule 10).
        var entry = entries.remove(at: index)
        let isInTime = entry.state == .acquiring
        if entry.form != .memo { actions.append(.acquired(id)) }
        for waiter in entry.waiters {
            actions.append(.resume(waiter: waiter.id, .value(id)))
            if waiter.pins { entry.uses += 1 }
        }
        entry.waiters = []
        guard entry.form != .memo else {
            actions.append(.forget(id))
            return advance(&actions)
        }
        entry.state = isInTime ? .held : .late
        entries.append(entry)
        if !isInTime { advance(&actions) }
    }

    private mutating func flightFailed(_ id: Int, _ actions: inout [Action]) {
        guard let index = index(of: id), entries[index].state.isFlying else { return }
        let entry = entries.remove(at: index)
        for waiter in entry.waiters { actions.append(.resume(waiter: waiter.id, .failure(id))) }
        actions.append(.forget(id))
        advance(&actions)
    }

    private mutating func waiterCancelled(_ waiter: Int, _ id: Int, _ actions: inout [Action]) {
        guard let index = index(of: id),
            let place = entries[index].waiters.firstIndex(where: { $0.id == waiter })
        else { return }
        entries[index].waiters.remove(at: place)
        actions.append(.resume(waiter: waiter, .cancelled))
    }

    mutating func cancelFlight(at index: Int, _ resumption: Resumption, _ actions: inout [Action]) {
        for waiter in entries[index].waiters { actions.append(.resume(waiter: waiter.id, resumption)) }
        entries[index].waiters = []
        entries[index].state = .cancelling
        let id = entries[index].id
        // Nobody gets its value any more, so that nobody depends on it.
        for place in entries.indices { entries[place].dependencies.removeAll { $0 == id } }
        actions.append(.cancelFlight(id))
    }

    private mutating func deadline(_ id: Int, _ stage: Stage, _ actions: inout [Action]) {
        guard let index = index(of: id) else { return }
        switch (stage, entries[index].state) {
        case (.acquiring, .acquiring):
            return cancelFlight(at: index, .timedOut, &actions)
        case (.cancelling, .cancelling):
            entries[index].state = .overdueFlight
        case (.awaitingUses, .awaitingUses):
            entries[index].state = .overdueUses
            spoil(.overran, for: entries[index])
        case (.releasing, .releasing):
            entries[index].state = .overdueRelease
            actions.append(.cancelRelease(id))
            spoil(.overran, for: entries[index])
        default:
            return
        }
        actions.append(.overran(id, stage))
        // Whoever waits for it, or for something that has to wait for it, waits no longer.
        for place in entries.indices where entries[place].earlyWaiter != nil {
            guard path(from: id, to: entries[place].id) != nil else { continue }
            resumeEarlyWaiter(at: place, .releaseTimedOut, &actions)
        }
        advance(&actions)
    }
}
