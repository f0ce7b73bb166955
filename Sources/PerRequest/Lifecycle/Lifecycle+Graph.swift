// What waits for what. One search finds every cycle, and each place is looked at once.

extension Lifecycle {
    /// Why a caller inside of an activity must not wait for something: that waits for the activity to end.
    func refusal(toWaitFor target: Node, _ inside: Node?) -> Refusal? {
        guard let inside, let path = path(from: target, to: inside) else { return nil }
        let entries = namedEntries(along: path)
        return path.allSatisfy(isAcquisition) ? .cycle(entries) : .deadlock(entries)
    }

    /// The places from one to another along waits, both included, if there is such a path.
    func path(from start: Node, to goal: Node) -> [Node]? {
        guard start != goal else { return [goal] }
        var origins: [Node: Node] = [:]
        var open = [start]
        while let node = open.popLast() {
            var isFound = false
            forEachBlocker(of: node) { next in
                guard !isFound, next != start, origins[next] == nil else { return }
                origins[next] = node
                isFound = next == goal
                open.append(next)
            }
            guard isFound else { continue }
            var path = [goal]
            while let origin = origins[path[path.count - 1]] { path.append(origin) }
            return path.reversed()
        }
        return nil
    }

    /// The entries from one to another along what they are built on, or will be, both included, if there is such a path.
    ///
    /// It is looked for from its end, because little is built on what asks: an entry is needed by what is built on it, by
    /// those whose code waits for it, and by the one inside of whose activity its scope was opened, which ends after it.
    func pathOfNeeds(from start: Int32, to goal: Int32) -> [Int32]? {
        var next: [Int32: Int32] = [:]
        var open = [goal]
        while let place = open.popLast() {
            forEachNeeding(place) { needing in
                guard needing != goal, next[needing] == nil else { return }
                next[needing] = place
                open.append(needing)
            }
            guard next[start] != nil else { continue }
            var path = [start]
            while let place = next[path[path.count - 1]] { path.append(place) }
            return path
        }
        return nil
    }

    private func forEachNeeding(_ place: Int32, _ body: (Int32) -> Void) {
        for id in entries[place].dependents.all { if let place = entries.place(of: id) { body(place) } }
        for id in entries[place].memos.all { if let place = entries.place(of: id) { body(place) } }
        for call in calls.places(in: entries[place].queue, .owner) {
            if let entry = entry(around: calls[call].inside), entry != place { body(entry) }
        }
        forEachOpener(of: entries[place].scope, body)
    }

    /// Does something with each entry that has to end before a scope, or one around it, is closed by its parent.
    func forEachOpener(of scope: Int32, _ body: (Int32) -> Void) {
        var scope = self[nesting: scope].boundAbove
        while scope > 0 {
            if self[nesting: scope].isBound, let entry = entries.place(of: self[nesting: scope].openedIn) {
                body(entry)
            }
            scope = self[nesting: self[nesting: scope].parent].boundAbove
        }
    }

    /// Does something with each place that has to go on before `node` can.
    private func forEachBlocker(of node: Node, _ body: (Node) -> Void) {
        switch node {
        case .entry(let place): forEachBlocker(ofEntry: place, body)
        case .call(let place): forEachBlocker(ofCall: place, body)
        case .scope(let place): forEachBlocker(ofScope: place, body)
        }
    }

    private func forEachBlocker(ofEntry place: Int32, _ body: (Node) -> Void) {
        for call in calls.places(in: entries[place].inner, .other) { body(.call(call)) }
        guard isDue(place) else { return }
        for id in entries[place].dependents.all { if let place = entries.place(of: id) { body(.entry(place)) } }
        for call in calls.places(in: entries[place].bodies, .owner) { body(.call(call)) }
        for call in calls.places(in: entries[place].queue, .owner) { body(.call(call)) }
        let scope = entries[place].scope
        let releasing = self[scope: scope].releasing
        if releasing >= 0, releasing != place { body(.entry(releasing)) }
        if hasBegun(entries[place].point, in: scope), entries[place].early == nil { body(.scope(scope)) }
    }

    private func forEachBlocker(ofCall place: Int32, _ body: (Node) -> Void) {
        let call = calls[place]
        if call.isRunning {
            for call in calls.places(in: call.inner, .other) { body(.call(call)) }
            return
        }
        switch call.kind {
        case .phase: body(.scope(call.target))
        case .release: body(.entry(call.target))
        case .read, .use: body(.entry(call.target))
        case .exclusive, .claim:
            if entries[call.target].isFlying { return body(.entry(call.target)) }
            if call.links.previous >= 0 { return body(.call(call.links.previous)) }
            if entries[call.target].turn >= 0 { body(.call(entries[call.target].turn)) }
        }
    }

    private func forEachBlocker(ofScope place: Int32, _ body: (Node) -> Void) {
        guard self[scope: place].phase == .settling || self[scope: place].phase == .closing else { return }
        for entry in entries.places(in: self[scope: place].entries, .owner) {
            let isWaited = entries[entry].state == .cancelling || isDue(entry) || entries[entry].state == .releasing
            if isWaited, hasBegun(entries[entry].point, in: place) || entries[entry].state != .cancelling {
                body(.entry(entry))
            }
        }
        guard self[scope: place].phase == .closing else { return }
        for child in children.places(in: self[scope: place].children, .owner) { body(.scope(child + 1)) }
    }

    /// Whether this is a wait for a flight, or the flight itself.
    private func isAcquisition(_ node: Node) -> Bool {
        switch node {
        case .entry(let place): entries[place].isFlying
        case .call(let place): !calls[place].isRunning && calls[place].kind == .read
        case .scope: false
        }
    }

    /// The entries to name along a cycle that a wait for the path's beginning, inside of its end, would close.
    ///
    /// The one that wants comes first; where it is a child's, the first in the scope of what it wants.
    private func namedEntries(along path: [Node]) -> [Int] {
        var named: [Int32] = []
        for node in path {
            let place: Int32
            switch node {
            case .entry(let entry): place = entry
            case .call(let call) where calls[call].isRunning && calls[call].target >= 0: place = calls[call].target
            case .call, .scope: continue
            }
            if named.last != place { named.append(place) }
        }
        guard let last = named.last, let first = named.first else { return [] }
        if named.count > 1, entries[last].scope != entries[first].scope, path.allSatisfy(isAcquisition),
            let begin = named.lastIndex(where: { entries[$0].scope == entries[first].scope })
        {
            named = Array(named[(begin + 1)...] + named[...begin])
        }
        return ([named[named.count - 1]] + named).map(entries.id)
    }
}
