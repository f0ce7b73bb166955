// What most requests come to: one resource after the other, and nobody else there.
//
// Each step does what an event comes to where nothing else follows from it, without making a list of that. The enumeration
// compares every one of them with its event, wherever it can be taken.

extension Lifecycle {
    /// What follows from a step of a request that closes.
    enum Closing: Hashable, Sendable {
        /// The next value cannot be read any more, and is released.
        case release(Int, RequestOutcome.Verdict)
        case closed
    }

    // MARK: Acquiring

    /// The flight of a resource, or an `around` function, has a value that nobody waits for but the caller that started it, who reads it.
    ///
    /// - Returns: Whether that is so: then the value is held, and the caller answered; otherwise nothing has changed.
    mutating func arriveAtOnce(_ id: Int, startedBy call: Int) -> Bool {
        guard let place = entries.place(of: id), entries[place].state == .acquiring, entries[place].form != .memo,
            let call = calls.place(of: call), calls[call].kind == .read,
            entries[place].queue.first == call, entries[place].queue.last == call
        else { return false }
        let scope = entries[place].scope
        guard isAtRest(scope) else { return false }
        publish(place)
        entries[place].state = .held
        if entries[place].form != .around { endActivity(.entry(place)) }
        calls.remove(call, from: &entries[place].queue, .owner)
        build(entry(around: calls[call].inside), on: place)
        forget(call)
        return true
    }

    /// Whether nothing is under way in a scope that could go on now.
    private func isAtRest(_ scope: Int32) -> Bool {
        let phase = self[scope: scope].phase
        return self[scope: scope].ready.isEmpty && (phase == .open || phase == .settled)
    }

    /// The call of the only one that waits for an entry.
    func onlyCall(of id: Int) -> Int? {
        guard let place = entries.place(of: id) else { return nil }
        let queue = entries[place].queue
        return queue.first >= 0 && queue.first == queue.last ? calls.id(at: queue.first) : nil
    }

    // MARK: Settling and closing

    /// Settles a request that holds nothing to be released before its response, for what `settle` comes to there: to proceed
    /// at once.
    ///
    /// - Returns: Whether it did; otherwise nothing has changed.
    mutating func settleAtOnce(success: Bool) -> Bool {
        guard root.phase == .open, root.response == .asIntended, isQuiet else { return false }
        var next = root.entries.first
        while next >= 0 {
            guard entries[next].point == .afterResponse else { return false }
            next = entries[next].links.next
        }
        if !success { fail(0) }
        root.phase = .settled
        return true
    }

    /// Closes a settled request that holds nothing, for what `close` comes to there: to proceed and be closed at once.
    ///
    /// - Returns: Whether it did; otherwise nothing has changed.
    mutating func closeIfEmpty(completed: Bool = true) -> Bool {
        guard root.phase == .settled, !root.closeRequested, entries.count == 0,
            root.openChildren == 0
        else { return false }
        root.closeRequested = true
        root.isCompleted = completed
        root.hasProceeded = true
        root.phase = .closed
        return true
    }

    /// Closes a settled request that only holds resources, which nobody uses: begins to release the last one.
    ///
    /// - Returns: What is released; `nil` where there is more to it, and then nothing has changed.
    mutating func closeAlone(completed: Bool) -> Closing? {
        guard root.phase == .settled, !root.closeRequested, root.releasing < 0, root.entries.last >= 0, isAlone else {
            return nil
        }
        root.closeRequested = true
        root.isCompleted = completed
        root.phase = .closing
        root.hasProceeded = false
        var next = root.entries.first
        while next >= 0 {
            makeReady(next)
            next = entries[next].links.next
        }
        return releaseAlone()
    }

    /// A release of a request that closes like that has ended: goes on with the next one.
    ///
    /// - Returns: What follows; `nil` where there is more to it, and then nothing has changed.
    mutating func releasedAlone(_ id: Int) -> Closing? {
        guard root.phase == .closing, !root.hasProceeded, let place = entries.place(of: id), root.releasing == place,
            isAlone
        else { return nil }
        root.releasing = -1
        finish(place)
        removeEntry(place)
        // Nothing is in there but the request itself.
        agenda.removeAll(keepingCapacity: true)
        guard root.entries.isEmpty else { return releaseAlone() }
        root.hasProceeded = true
        root.phase = .closed
        return .closed
    }

    private mutating func releaseAlone() -> Closing? {
        let place = root.ready.last
        leaveReady(place)
        return .release(entries.id(at: place), beginRelease(of: place))
    }

    /// Whether nothing in the request itself waits or ends.
    private var isQuiet: Bool {
        root.releasing < 0 && root.ready.isEmpty && root.awaiting == 0 && root.cancellingBefore == 0 && root.opener < 0
    }

    /// Whether there is nothing but resources that are held, but for one that is released.
    private var isAlone: Bool {
        guard calls.count == 0, root.openChildren == 0, root.untold == 0, root.awaiting == 0, entries.count <= 16 else {
            return false
        }
        var next = root.entries.first
        while next >= 0 {
            guard entries[next].isHeldAlone || next == root.releasing && entries[next].isReleasedAlone else {
                return false
            }
            next = entries[next].links.next
        }
        return true
    }
}

extension Lifecycle.Entry {
    /// Whether it is held, and its release is all that has to follow: the memos that are built on it are entries, too.
    fileprivate var isHeldAlone: Bool { state == .held && form != .memo && early == nil }

    /// Whether its release is under way, and its end is all that has to follow.
    fileprivate var isReleasedAlone: Bool { state == .releasing && early == nil }
}
