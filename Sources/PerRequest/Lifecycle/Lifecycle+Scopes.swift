// The request's own scope and those of its children: how they open, settle and close.

extension Lifecycle {
    /// Opens a child (rule 4).
    ///
    /// - Parameters:
    ///   - parent: The number of the parent.
    ///   - activity: What it is opened inside of. A factory or a function has to end before the parent closes the child.
    ///   - isObserved: Whether its end is over only when ``Event/told(_:)`` says so.
    /// - Returns: Its number; `nil` if the parent is closing: a child of it would have nothing to live in.
    mutating func openChild(of parent: Int, inside activity: Activity? = nil, isObserved: Bool = false) -> Int? {
        forgetClosed()
        guard let parent = scopePlace(of: parent), self[scope: parent].isOwned, self[scope: parent].phase < .closing
        else { return nil }
        var child = Scope(isOwned: true)
        child.isObserved = isObserved
        var nesting = Nesting(parent: parent, boundAbove: self[nesting: parent].boundAbove)
        let entry = entry(around: activity.flatMap(node))
        if let entry {
            nesting.openedIn = entries.id(at: entry)
            // Where the parent itself is inside of the entry, the entry waits for the parent.
            nesting.isBound = self[nesting: parent].openedIn != nesting.openedIn
        }
        let (_, place) = children.insert(Child(child, nesting))
        if nesting.isBound { children[place].nesting.boundAbove = place + 1 }
        if let entry, nesting.isBound {
            children.append(place, to: &entries[entry].boundScopes, .owner)
        } else {
            changeChildren(of: parent) { children, list in children.append(place, to: &list, .owner) }
        }
        self[scope: parent].openChildren += 1
        return scopeID(at: place + 1)
    }

    private mutating func changeChildren(of parent: Int32, _ body: (inout Slab<Child>, inout SlabList) -> Void) {
        var list = self[scope: parent].children
        body(&children, &list)
        self[scope: parent].children = list
    }

    /// The activity of an entry has ended: the scopes that belong to it are its scopes' parents' to close.
    mutating func freeBoundScopes(of place: Int32) {
        while !entries[place].boundScopes.isEmpty {
            let child = entries[place].boundScopes.first
            children.remove(child, from: &entries[place].boundScopes, .owner)
            children[child].nesting.isBound = false
            let parent = children[child].nesting.parent
            changeChildren(of: parent) { children, list in children.append(child, to: &list, .owner) }
            agenda.append(parent)
        }
    }

    /// Nobody waits for a child any more.
    private mutating func leaveParent(_ scope: Int32) {
        guard scope > 0 else { return }
        let parent = self[nesting: scope].parent
        let entry = self[nesting: scope].isBound ? entries.place(of: self[nesting: scope].openedIn) : nil
        if let entry {
            children.remove(scope - 1, from: &entries[entry].boundScopes, .owner)
            children[scope - 1].nesting.isBound = false
        } else {
            changeChildren(of: parent) { children, list in children.remove(scope - 1, from: &list, .owner) }
        }
        agenda.append(parent)
    }

    // MARK: Events

    mutating func fail(_ scope: Int32) {
        guard self[scope: scope].phase == .open else { return }
        self[scope: scope].hasFailed = true
        self[scope: scope].verdict = .rollback
        self[scope: scope].response = .asIntended
    }

    mutating func settle(_ scope: Int32, success: Bool, _ actions: inout [Action]) {
        guard self[scope: scope].phase == .open else { return }
        // The opener's own failure is answered as the opener intends.
        if !success { fail(scope) }
        begin(.settling, scope, &actions)
    }

    mutating func close(_ scope: Int32, success: Bool, completed: Bool, _ actions: inout [Action]) {
        guard !self[scope: scope].closeRequested else { return }
        self[scope: scope].closeRequested = true
        self[scope: scope].isCompleted = completed
        switch self[scope: scope].phase {
        case .open: settle(scope, success: success, &actions)
        case .settled: begin(.closing, scope, &actions)
        case .settling, .closing, .closed: break
        }
    }

    /// The point has taken too long: the opener goes on, and what is left goes on by itself (rule 13).
    mutating func budgetSpent(_ scope: Int32, _ point: ReleasePoint, _ actions: inout [Action]) {
        let id = scopeID(at: scope)
        switch (point, self[scope: scope].phase) {
        case (.beforeResponse, .settling):
            spoil(.overran, scope)
        case (.afterResponse, .closing):
            guard !self[scope: scope].hasProceeded else { return }
        case (.afterResponse, .settling):
            // Closing settles first if that was not done; then both have to fit into one budget.
            guard self[scope: scope].closeRequested else { return }
            spoil(.overran, scope)
            actions.append(.budgetOverran(id, .beforeResponse))
            proceed(scope, &actions)
        default:
            return
        }
        actions.append(.budgetOverran(id, point))
        proceed(scope, &actions)
        agenda.append(scope)
    }

    // MARK: Going on

    /// Does what can be done in the scopes that an event has touched.
    mutating func goOn(_ actions: inout [Action]) {
        while let scope = agenda.popLast() {
            advance(scope, &actions)
        }
    }

    /// Starts the next release, or ends the phase when there is none.
    ///
    /// One release runs at a time.
    private mutating func advance(_ scope: Int32, _ actions: inout [Action]) {
        while self[scope: scope].releasing < 0 {
            if releaseNext(in: scope, &actions) { return }
            switch self[scope: scope].phase {
            case .open, .settled, .closed: return
            case .settling:
                if isWaiting(scope) || self[scope: scope].awaiting > 0 { return }
                spoilIfHeld(scope, &actions)
                proceed(scope, &actions)
            case .closing:
                if isWaiting(scope) { return closeLastChild(of: scope, &actions) }
                if self[scope: scope].awaiting > 0 || self[scope: scope].untold > 0 { return }
                proceed(scope, &actions)
                guard self[scope: scope].alive == 0, self[scope: scope].openChildren == 0 else { return }
                return end(scope: scope, &actions)
            }
        }
    }

    /// Whether the releases of the point under way wait: for flights that were cancelled, or for children to close.
    func isWaiting(_ scope: Int32) -> Bool {
        switch self[scope: scope].phase {
        case .open, .settled, .closed: return false
        case .settling: return self[scope: scope].cancellingBefore > 0
        case .closing:
            let isFlying = self[scope: scope].cancellingBefore > 0 || self[scope: scope].cancellingAfter > 0
            return isFlying || !self[scope: scope].children.isEmpty
        }
    }

    private mutating func begin(_ phase: Phase, _ scope: Int32, _ actions: inout [Action]) {
        self[scope: scope].phase = phase
        self[scope: scope].hasProceeded = false
        var next = self[scope: scope].entries.first
        while next >= 0 {
            let place = next
            next = entries[place].links.next
            guard hasBegun(entries[place].point, in: scope) else { continue }
            switch entries[place].state {
            case .acquiring: cancelFlight(place, .pointBegan, &actions)
            case .held: reconsider(place)
            default: break
            }
        }
        agenda.append(scope)
    }

    /// Closes the child that was opened last, unless it closes already.
    private mutating func closeLastChild(of scope: Int32, _ actions: inout [Action]) {
        let child = self[scope: scope].children.last + 1
        guard child > 0, !self[scope: child].closeRequested else { return }
        self[scope: child].isForced = true
        actions.append(.closeChild(scopeID(at: child)))
        let (success, completed) = (self[scope: scope].verdict == .commit, self[scope: scope].isCompleted)
        close(child, success: success, completed: completed, &actions)
    }

    /// Before the success is promised: what should have been committed and could not be released yet is overdue.
    private mutating func spoilIfHeld(_ scope: Int32, _ actions: inout [Action]) {
        guard self[scope: scope].verdict == .commit else { return }
        for place in entries.places(in: self[scope: scope].entries, .owner) {
            let entry = entries[place]
            guard entry.state == .held, entry.point == .beforeResponse, entry.early == nil else { continue }
            actions.append(.overran(entries.id(at: place), .awaitingUses, isTold: false))
            spoil(.overran, scope)
        }
    }

    private mutating func proceed(_ scope: Int32, _ actions: inout [Action]) {
        switch self[scope: scope].phase {
        case .settling:
            self[scope: scope].phase = .settled
            forgetMemos(until: .beforeResponse, scope, &actions)
            tellOpener(of: scope, .beforeResponse, &actions)
            if self[scope: scope].closeRequested { begin(.closing, scope, &actions) }
        case .closing where !self[scope: scope].hasProceeded:
            self[scope: scope].hasProceeded = true
            tellOpener(of: scope, .afterResponse, &actions)
            leaveParent(scope)
        case .open, .settled, .closing, .closed:
            break
        }
    }

    private mutating func tellOpener(of scope: Int32, _ point: ReleasePoint, _ actions: inout [Action]) {
        let isEnd = point == .afterResponse || !self[scope: scope].closeRequested
        let opener = self[scope: scope].opener
        if isEnd, opener >= 0 {
            self[scope: scope].opener = -1
            forget(opener)
        }
        actions.append(.proceed(scopeID(at: scope), point))
    }

    private mutating func forgetMemos(until point: ReleasePoint, _ scope: Int32, _ actions: inout [Action]) {
        let memos = entries.places(in: self[scope: scope].entries, .owner).filter {
            entries[$0].state == .kept && entries[$0].point == point
        }.map(entries.id)
        // One may go with another.
        for id in memos { if let place = entries.place(of: id) { forgetMemo(place, &actions) } }
    }

    private mutating func end(scope: Int32, _ actions: inout [Action]) {
        let id = scopeID(at: scope)
        self[scope: scope].phase = .closed
        while !self[scope: scope].entries.isEmpty { forgetEntry(self[scope: scope].entries.first, &actions) }
        actions.append(.closed(id))
        guard scope > 0 else { return }
        guard self[scope: scope].isObserved else { return forgetChild(scope) }
        self[scope: self[nesting: scope].parent].untold += 1
    }

    /// The observer of a child that has ended was told: now its parent can end.
    mutating func told(_ scope: Int32) {
        guard scope > 0, self[scope: scope].phase == .closed else { return }
        self[scope: self[nesting: scope].parent].untold -= 1
        forgetChild(scope)
    }

    private mutating func forgetChild(_ scope: Int32) {
        let parent = self[nesting: scope].parent
        self[scope: parent].openChildren -= 1
        agenda.append(parent)
        closed.append(scope - 1)
    }

    /// Forgets the children that have closed.
    mutating func forgetClosed() {
        while let child = closed.popLast() { children.remove(at: child) }
    }

    // MARK: Waiting for it

    /// Notes that the opener of a scope waits for the end of its phase inside of an activity.
    ///
    /// Whoever waits for that activity and whom the phase has to wait for waits no longer: nothing else could end it.
    mutating func waitForPhase(_ id: Int, inside activity: Activity?, _ actions: inout [Action]) {
        guard let scope = scopePlace(of: id), self[scope: scope].opener < 0, let inside = activity.flatMap(node) else {
            return
        }
        self[scope: scope].opener = add(.phase, scope, inside).place
        while let path = path(from: .scope(scope), to: inside) {
            let waiting = path.last { node in
                guard case .call(let call) = node else { return false }
                return !calls[call].isRunning && calls[call].kind != .phase
            }
            guard case .call(let call) = waiting else { return }
            let target = calls[call].target
            resume(call, .deadlock(path.compactMap(namedEntry)), &actions)
            if !entries[target].isFlying { reconsider(target) }
            goOn(&actions)
        }
    }

    private func namedEntry(_ node: Node) -> Int? {
        switch node {
        case .entry(let place): entries.id(at: place)
        case .call(let place):
            calls[place].isRunning && calls[place].target >= 0 ? entries.id(at: calls[place].target) : nil
        case .scope: nil
        }
    }
}
