/// What the store asks its lifecycle.
extension Lifecycle {
    /// Whether nothing has happened yet.
    var isUnused: Bool {
        phase == .open && verdict == .commit && nextEntry == 0 && children.isEmpty && !closeRequested
    }

    /// Whether an opener that waits for the end of `phase` can go on.
    func hasPassed(_ phase: Phase) -> Bool {
        switch phase {
        case .settled: self.phase >= .settled
        case .closing: self.phase == .closed || (self.phase == .closing && hasProceeded)
        case .open, .settling, .closed: self.phase >= phase
        }
    }

    /// Whether the entry's value arrived too late for anybody to get it.
    func isLate(_ id: Int) -> Bool {
        entries.contains { $0.id == id && $0.state == .late }
    }

    /// Whether the entry's flight runs, so that its value can still arrive.
    func isFlying(_ id: Int) -> Bool {
        entries.contains { $0.id == id && $0.state.isFlying }
    }

    /// Whether the entry's value is held: it has arrived, and its release has not ended.
    func isHeld(_ id: Int) -> Bool {
        guard let state = entries.first(where: { $0.id == id })?.state else { return false }
        return switch state {
        case .held, .late, .awaitingUses, .overdueUses, .releasing, .overdueRelease: true
        case .acquiring, .cancelling, .overdueFlight, .lost, .spent: false
        }
    }

    /// The entries of a point that are still to be released and have not been reported as overdue.
    func entriesInTime(of point: ReleasePoint) -> [Int] {
        entries.filter { entry in
            guard entry.point == point, entry.form != .memo else { return false }
            switch entry.state {
            case .cancelling, .held, .late, .awaitingUses, .releasing: return true
            case .acquiring, .overdueFlight, .overdueUses, .overdueRelease, .lost, .spent: return false
            }
        }.map(\.id)
    }

    /// Whether somebody waits for the end of this entry's release.
    func hasEarlyWaiter(_ id: Int) -> Bool {
        entries.contains { $0.id == id && $0.earlyWaiter != nil }
    }

    /// Whether a caller gets the entry's value at once.
    func isReadable(_ id: Int) -> Bool { index(of: id).map { entries[$0].isReadable } ?? false }

    /// The entry of a resource that can be read.
    func heldEntry(of resource: Int) -> Int? {
        entries.last { $0.resource == resource && $0.isReadable }?.id
    }

    /// What an early release of the resource would release: its entry and all that depend on it.
    func due(withEarlyReleaseOf resource: Int) -> Set<Int> {
        var due: Set<Int> = []
        if let id = heldEntry(of: resource) { collectDependents(of: id, into: &due) }
        return due
    }

    /// Whether an entry is in a stage that can have a time limit.
    func isUnderWay(_ id: Int, _ stage: Stage) -> Bool {
        guard let state = entries.first(where: { $0.id == id })?.state else { return false }
        return switch (stage, state) {
        case (.acquiring, .acquiring), (.cancelling, .cancelling), (.awaitingUses, .awaitingUses),
            (.releasing, .releasing):
            true
        default: false
        }
    }
}

extension Lifecycle.Entry {
    /// Whether a caller gets the value at once.
    var isReadable: Bool { state == .held && earlyVerdict == nil }
}
