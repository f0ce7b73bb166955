/// What the store asks its lifecycle.
extension Lifecycle {
    /// Whether nothing is left of what has happened, and nobody but the request itself was ever there.
    var isUnused: Bool {
        self[scope: 0].phase == .open && self[scope: 0].verdict == .commit && !self[scope: 0].closeRequested
            && entries.count == 0 && children.isUntouched && calls.count == 0
    }

    /// Where a scope stands; one that is not there any more has closed.
    func phase(of scope: Int) -> Phase { scopePlace(of: scope).map { self[scope: $0].phase } ?? .closed }

    /// What a scope decided; `nil` where it is not there any more.
    func verdict(of scope: Int) -> RequestOutcome.Verdict? { scopePlace(of: scope).map { self[scope: $0].verdict } }

    func response(of scope: Int) -> Response { scopePlace(of: scope).map { self[scope: $0].response } ?? .asIntended }

    func closeRequested(_ scope: Int) -> Bool { scopePlace(of: scope).map { self[scope: $0].closeRequested } ?? true }

    func hasBegun(_ point: ReleasePoint, scope: Int) -> Bool {
        scopePlace(of: scope).map { hasBegun(point, in: $0) } ?? true
    }

    /// Whether an opener that waits for the end of `phase` can go on.
    func hasPassed(_ phase: Phase, scope: Int) -> Bool {
        guard let place = scopePlace(of: scope) else { return true }
        let present = self[scope: place].phase
        return switch phase {
        case .settled: present >= .settled
        case .closing: present == .closed || (present == .closing && self[scope: place].hasProceeded)
        case .open, .settling, .closed: present >= phase
        }
    }

    /// The state of an entry, if there is one.
    func state(of id: Int) -> Entry.State? { entries.place(of: id).map { entries[$0].state } }

    /// Whether the entry's value arrived too late for anybody to get it.
    func isLate(_ id: Int) -> Bool { state(of: id) == .late }

    /// Whether the entry's flight runs, so that its value can still arrive.
    func isFlying(_ id: Int) -> Bool { entries.place(of: id).map { entries[$0].isFlying } ?? false }

    /// Whether a caller gets the entry's value at once.
    func isReadable(_ id: Int) -> Bool { entries.place(of: id).map { entries[$0].isReadable } ?? false }

    /// Whether a body that was given the value may begin: its `around` function may have ended meanwhile.
    func canBegin(_ call: Int) -> Bool { calls.place(of: call).map { calls[$0].target >= 0 } ?? false }

    /// Whether the entry's value is held: it has arrived, and its release has not ended.
    func isHeld(_ id: Int) -> Bool {
        switch state(of: id) {
        case .held, .late, .awaitingUses, .parked, .overdueUses, .releasing, .overdueRelease: true
        case .acquiring, .cancelling, .overdueFlight, .lost, .spent, .kept, nil: false
        }
    }

    /// The entry of a resource that can be read.
    func heldEntry(of resource: Int, scope: Int = rootScope) -> Int? {
        guard let scope = scopePlace(of: scope), let place = entry(of: resource, in: scope) else { return nil }
        return entries[place].isReadable ? entries.id(at: place) : nil
    }

    /// The entries of a point that are still to be released and have not been reported as overdue.
    func entriesInTime(of point: ReleasePoint, scope: Int) -> [Int] {
        guard let scope = scopePlace(of: scope) else { return [] }
        return entries.places(in: self[scope: scope].entries, .owner).filter { place in
            guard entries[place].point == point, entries[place].form != .memo else { return false }
            switch entries[place].state {
            case .cancelling, .held, .late, .awaitingUses, .parked, .releasing: return true
            case .acquiring, .overdueFlight, .overdueUses, .overdueRelease, .lost, .spent, .kept: return false
            }
        }.map(entries.id)
    }

    /// Whether somebody waits for the end of this entry's release, or for that of something it is built on.
    func isReleasedForSomebody(_ id: Int) -> Bool { entries.place(of: id).map(isReleasedForSomebody) ?? false }

    func isReleasedForSomebody(_ place: Int32) -> Bool {
        entries[place].early != nil
            && entries[place].releasedFor.all.contains { id in
                entries.place(of: id).map { !entries[$0].releaseWaiters.isEmpty } ?? false
            }
    }

    /// Whether the verdict of the entry's scope turns if its release fails.
    func turnsVerdict(_ id: Int) -> Bool { entries.place(of: id).map(turnsVerdict) ?? false }

    /// Whether an entry is in a stage that can have a time limit.
    func isUnderWay(_ id: Int, _ stage: Stage) -> Bool {
        return switch (stage, state(of: id)) {
        case (.acquiring, .acquiring), (.cancelling, .cancelling), (.awaitingUses, .awaitingUses),
            (.awaitingUses, .parked), (.releasing, .releasing):
            true
        default: false
        }
    }
}
