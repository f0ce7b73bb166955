// Callers that wait, bodies that use a value, and the turns of those that want it for themselves.

extension Lifecycle {
    /// Where an activity is in the graph, if it still runs.
    func node(_ activity: Activity) -> Node? {
        switch activity {
        case .entry(let id):
            guard let place = entries.place(of: id), entries[place].isRunning else { return nil }
            return .entry(place)
        case .body(let id):
            guard let place = calls.place(of: id), calls[place].isRunning else { return nil }
            return .call(place)
        }
    }

    /// Whether code that says it is inside of an activity is: a task that was started there may outlive it.
    func isRunning(_ activity: Activity) -> Bool { node(activity) != nil }

    /// The innermost entry that an activity is part of.
    func entry(around node: Node?) -> Int32? {
        var node = node
        while case .call(let place) = node { node = calls[place].inside }
        guard case .entry(let place) = node else { return nil }
        return place
    }

    /// Whether an activity is inside of a body that has the value of an entry.
    func isInsideBody(_ node: Node?, of entry: Int32, exclusive: Bool = false) -> Bool {
        var node = node
        while case .call(let place) = node {
            if calls[place].target == entry, !exclusive || entries[entry].turn == place { return true }
            node = calls[place].inside
        }
        return false
    }

    // MARK: Beginning

    /// Adds a caller that waits for an entry.
    mutating func wait(for place: Int32, _ request: ResourceRequest, _ inside: Node?) -> Int {
        let (id, call) = add(request.kind, place, inside)
        calls[call].isForeign = request.isForeign
        calls.append(call, to: &entries[place].queue, .owner)
        if request.kind == .exclusive, !entries[place].isFlying { countUse(call, of: place, by: 1) }
        return id
    }

    /// Adds a body that has the value at once.
    mutating func run(_ place: Int32, _ request: ResourceRequest, _ inside: Node?) -> Int {
        let (id, call) = add(request.kind, place, inside)
        calls[call].isForeign = request.isForeign
        countUse(call, of: place, by: 1)
        begin(call, of: place)
        return id
    }

    private mutating func countUse(_ call: Int32, of place: Int32, by number: Int32) {
        entries[place].uses += number
        if calls[call].isForeign { entries[place].foreignUses += number }
    }

    /// Adds a call inside of an activity, to be put in a row of its owner's.
    mutating func add(_ kind: Call.Kind, _ target: Int32, _ inside: Node?) -> (id: Int, place: Int32) {
        let (id, call) = calls.insert(Call(kind: kind, target: target, inside: inside))
        changeCalls(inside: inside) { calls, list in calls.append(call, to: &list, .other) }
        return (id, call)
    }

    /// Lets a body have the value.
    private mutating func begin(_ call: Int32, of place: Int32) {
        calls[call].isRunning = true
        calls.append(call, to: &entries[place].bodies, .owner)
        if calls[call].kind == .exclusive { entries[place].turn = call }
    }

    // MARK: Going on

    /// The value of an entry has arrived: gives it to those who wait, in the order in which they asked.
    mutating func giveValue(of place: Int32, _ actions: inout [Action]) {
        let id = entries.id(at: place)
        var next = entries[place].queue.first
        while next >= 0 {
            let call = next
            next = calls[call].links.next
            switch calls[call].kind {
            case .exclusive, .claim:
                // They have their turns in this order.
                if calls[call].kind == .exclusive { countUse(call, of: place, by: 1) }
            case .use:
                calls.remove(call, from: &entries[place].queue, .owner)
                countUse(call, of: place, by: 1)
                build(entry(around: calls[call].inside), on: place)
                begin(call, of: place)
                actions.append(.resume(call: calls.id(at: call), .value(id)))
            case .read, .release, .phase:
                build(entry(around: calls[call].inside), on: place)
                resume(call, .value(id), &actions)
            }
        }
        passTurn(of: place, &actions)
    }

    /// Gives the turn, if nobody has it, to whoever asked first.
    private mutating func passTurn(of place: Int32, _ actions: inout [Action]) {
        while entries[place].turn < 0, !entries[place].queue.isEmpty {
            let call = entries[place].queue.first
            let dependent = entry(around: calls[call].inside)
            if calls[call].kind == .claim, isDue(place) {
                // Nothing can be made on it any more.
                resume(call, .pointBegan, &actions)
                continue
            }
            // What is made already, and goes on using this when it is to be released, has it in the body only.
            if !isDue(place) || dependent.map({ entries[$0].isFlying }) ?? false { build(dependent, on: place) }
            guard calls[call].kind == .exclusive else {
                resume(call, .value(entries.id(at: place)), &actions)
                continue
            }
            calls.remove(call, from: &entries[place].queue, .owner)
            begin(call, of: place)
            actions.append(.resume(call: calls.id(at: call), .value(entries.id(at: place))))
        }
    }

    /// Answers all who wait for an entry.
    mutating func resumeQueue(of place: Int32, _ resumption: Resumption, _ actions: inout [Action]) {
        while !entries[place].queue.isEmpty { resume(entries[place].queue.first, resumption, &actions) }
    }

    /// Answers all who wait for an early release.
    mutating func resumeReleaseWaiters(of place: Int32, _ resumption: Resumption, _ actions: inout [Action]) {
        while !entries[place].releaseWaiters.isEmpty {
            resume(entries[place].releaseWaiters.first, resumption, &actions)
        }
    }

    /// Answers a caller that waits, and forgets it.
    mutating func resume(_ call: Int32, _ resumption: Resumption, _ actions: inout [Action]) {
        actions.append(.resume(call: calls.id(at: call), resumption))
        let place = calls[call].target
        switch calls[call].kind {
        case .phase: break
        case .release: calls.remove(call, from: &entries[place].releaseWaiters, .owner)
        case .read, .use: calls.remove(call, from: &entries[place].queue, .owner)
        case .exclusive:
            calls.remove(call, from: &entries[place].queue, .owner)
            if !entries[place].isFlying { countUse(call, of: place, by: -1) }
        case .claim:
            calls.remove(call, from: &entries[place].queue, .owner)
            if case .value = resumption { break }
            unclaim(by: entries[place].claimant)
        }
        forget(call)
    }

    /// A caller no longer waits.
    mutating func callCancelled(_ id: Int, _ actions: inout [Action]) {
        guard let call = calls.place(of: id), !calls[call].isRunning else { return }
        let target = calls[call].target
        switch calls[call].kind {
        case .release, .phase: return
        case .read, .use, .exclusive, .claim: break
        }
        resume(call, .cancelled, &actions)
        if !entries[target].isFlying { reconsider(target) }
    }

    // MARK: Ending

    /// A body has ended.
    mutating func callEnded(_ id: Int, _ actions: inout [Action]) {
        guard let call = calls.place(of: id), calls[call].isRunning else { return }
        let place = calls[call].target
        guard place >= 0 else { return forget(call) }
        calls.remove(call, from: &entries[place].bodies, .owner)
        countUse(call, of: place, by: -1)
        let hadTurn = entries[place].turn == call
        forget(call)
        if hadTurn {
            entries[place].turn = -1
            passTurn(of: place, &actions)
        }
        reconsider(place)
    }

    /// The entry goes: a body that still runs does not refer to it any more.
    mutating func leaveBodies(of place: Int32) {
        while !entries[place].bodies.isEmpty {
            let call = entries[place].bodies.first
            calls.remove(call, from: &entries[place].bodies, .owner)
            calls[call].target = -1
        }
    }

    /// The call is over.
    mutating func forget(_ call: Int32) {
        endActivity(.call(call))
        let inside = calls[call].inside
        changeCalls(inside: inside) { calls, list in calls.remove(call, from: &list, .other) }
        calls.remove(at: call)
    }

    /// What an activity's code still waits for, in tasks that outlive it, is inside of the one around it.
    mutating func endActivity(_ node: Node) {
        var inner: SlabList
        var outer: Node?
        switch node {
        case .entry(let place): inner = entries[place].inner
        case .call(let place):
            inner = calls[place].inner
            outer = calls[place].inside
        case .scope: return
        }
        guard !inner.isEmpty else { return }
        while !inner.isEmpty {
            let call = inner.first
            calls.remove(call, from: &inner, .other)
            calls[call].inside = outer
            changeCalls(inside: outer) { calls, list in calls.append(call, to: &list, .other) }
        }
        changeCalls(inside: node) { _, list in list = inner }
    }

    private mutating func changeCalls(inside node: Node?, _ body: (inout Slab<Call>, inout SlabList) -> Void) {
        switch node {
        case .entry(let place): body(&calls, &entries[place].inner)
        case .call(let place):
            var list = calls[place].inner
            body(&calls, &list)
            calls[place].inner = list
        case .scope, nil: break
        }
    }

    /// The claim of an entry ends.
    mutating func unclaim(by place: Int32) {
        guard place >= 0, entries[place].claimed >= 0 else { return }
        entries[entries[place].claimed].claimant = -1
        entries[place].claimed = -1
    }
}
