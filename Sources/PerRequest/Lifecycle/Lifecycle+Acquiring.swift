/// What a store is asked for.
struct ResourceRequest: Hashable, Sendable {
    /// The scope that owns the resource.
    var scope = Lifecycle.rootScope
    let resource: Int
    let form: Lifecycle.Form
    let point: ReleasePoint
    /// What the caller wants of it.
    var kind = Lifecycle.Call.Kind.read
    /// The caller is cancelled already: it can read what is held, and starts nothing (rule 9).
    var isCancelled = false
    /// The activity that the caller is inside of.
    var inside: Lifecycle.Activity?
    /// The caller's own scope, if it is another one.
    var caller: Int?
    /// The entry, where the caller knows it: that of a memo.
    var entry: Int?

    var isForeign: Bool { caller != nil && caller != scope }
}

extension Lifecycle {
    /// The answer to a caller that wants a resource.
    ///
    /// Who gets a call and its value uses it in a body, and says when that has ended.
    enum Admission: Hashable, Sendable {
        /// The value is there.
        case ready(Int, call: Int?)
        /// The caller waits for a flight that it has to start.
        case start(Int, call: Int)
        /// The caller waits for a flight that is under way, or for its turn.
        case wait(Int, call: Int)
        case refuse(Refusal)
    }

    enum Refusal: Hashable, Sendable {
        case notOwned
        case pointBegan
        case closed
        case released
        case spent
        case lost
        case stillEnding
        case callerCancelled
        /// The flights along the cycle that the wait would close, from the one that wants to the one it wants.
        case cycle([Int])
        /// The entries along a cycle of other waits.
        case deadlock([Int])
        /// The caller's own body is what it would wait for.
        case inUse(by: Int)
        /// The resource is released before the one inside whose factory it was asked for.
        case captive(by: Int)
        /// An entry that is made on it has it for itself.
        case claimed(by: Int)
    }

    /// Asks for a resource.
    mutating func acquire(_ request: ResourceRequest) -> Admission {
        forgetClosed()
        guard let scope = scopePlace(of: request.scope) else { return .refuse(.closed) }
        let inside = request.inside.flatMap(node)
        let dependent = entry(around: inside)
        if let dependent, isCaptive(request.point, in: scope, by: dependent) {
            return .refuse(.captive(by: entries.id(at: dependent)))
        }
        let found =
            request.form == .memo ? request.entry.flatMap(entries.place) : entry(of: request.resource, in: scope)
        guard let place = found else { return start(request, in: scope, inside) }
        switch entries[place].state {
        case .held where entries[place].early == nil, .kept:
            return read(place, request, inside, dependent)
        case .acquiring:
            if let refusal = refusal(toWaitFor: .entry(place), inside) { return .refuse(refusal) }
            if let dependent, let refusal = refusal(toBuild: dependent, on: place) { return .refuse(refusal) }
            if let refusal = refusal(toShare: place, request.kind, dependent) { return .refuse(refusal) }
            guard !request.isCancelled else { return .refuse(.callerCancelled) }
            if request.kind == .claim { claim(place, by: dependent) }
            return .wait(entries.id(at: place), call: wait(for: place, request, inside))
        case .cancelling, .overdueFlight:
            // Its own factory, which was cancelled and asks for itself, is told so.
            if let refusal = refusal(toWaitFor: .entry(place), inside) { return .refuse(refusal) }
            return .refuse(hasBegun(request.point, in: scope) ? refusalAfterBegin(scope) : .stillEnding)
        case .late:
            return .refuse(hasBegun(request.point, in: scope) ? .released : .stillEnding)
        case .held, .awaitingUses, .parked, .overdueUses, .releasing, .overdueRelease:
            return .refuse(.released)
        case .lost:
            return .refuse(.lost)
        case .spent:
            return .refuse(.spent)
        }
    }

    private mutating func start(_ request: ResourceRequest, in scope: Int32, _ inside: Node?) -> Admission {
        guard self[scope: scope].isOwned else { return .refuse(.notOwned) }
        guard !hasBegun(request.point, in: scope) else { return .refuse(refusalAfterBegin(scope)) }
        guard !request.isCancelled else { return .refuse(.callerCancelled) }
        let (id, place) = add(
            Entry(
                resource: request.resource,
                scope: scope,
                point: request.point,
                form: request.form,
                beginning: self[scope: scope].phase >= .settling
                    ? .afterSettled : self[scope: 0].phase >= .settling ? .afterRequestSettled : .inTime
            )
        )
        self[scope: scope].alive += 1
        note(place, as: request.resource, in: scope)
        if request.kind == .claim { claim(place, by: entry(around: inside)) }
        return .start(id, call: wait(for: place, request, inside))
    }

    /// Lets a caller have what is held, at once or when it is its turn.
    private mutating func read(
        _ place: Int32,
        _ request: ResourceRequest,
        _ inside: Node?,
        _ dependent: Int32?
    ) -> Admission {
        let id = entries.id(at: place)
        if let dependent, let refusal = refusal(toBuild: dependent, on: place) { return .refuse(refusal) }
        switch request.kind {
        case .read, .release, .phase:
            build(dependent, on: place)
            return .ready(id, call: nil)
        case .use:
            build(dependent, on: place)
            return .ready(id, call: run(place, request, inside))
        case .exclusive, .claim:
            if let refusal = refusal(toShare: place, request.kind, dependent) { return .refuse(refusal) }
            if entries[place].claimant >= 0 { return .ready(id, call: nil) }
            guard entries[place].turn >= 0 || !entries[place].queue.isEmpty else {
                build(dependent, on: place)
                if request.kind == .exclusive { return .ready(id, call: run(place, request, inside)) }
                claim(place, by: dependent)
                return .ready(id, call: nil)
            }
            if isInsideBody(inside, of: place, exclusive: true) { return .refuse(.inUse(by: id)) }
            let ahead = entries[place].queue.isEmpty ? entries[place].turn : entries[place].queue.last
            if let refusal = refusal(toWaitFor: .call(ahead), inside) { return .refuse(refusal) }
            guard !request.isCancelled else { return .refuse(.callerCancelled) }
            if request.kind == .claim { claim(place, by: dependent) }
            return .wait(id, call: wait(for: place, request, inside))
        }
    }

    /// Adds the value of a memo that nothing but itself could end, because a memo is to be built on it now.
    ///
    /// - Returns: Its number; `nil` if what asks for it is not a memo.
    mutating func keepMemo(_ request: ResourceRequest) -> Int? {
        guard let scope = scopePlace(of: request.scope), let inside = request.inside.flatMap(node),
            let dependent = entry(around: inside), entries[dependent].form == .memo
        else { return nil }
        var entry = Entry(
            resource: request.resource,
            scope: scope,
            point: request.point,
            form: .memo,
            beginning: .inTime
        )
        entry.state = .kept
        return add(entry).id
    }

    private mutating func add(_ entry: Entry) -> (id: Int, place: Int32) {
        let added = entries.insert(entry)
        var list = self[scope: entry.scope].entries
        entries.append(added.place, to: &list, .owner)
        self[scope: entry.scope].entries = list
        return added
    }

    private func refusalAfterBegin(_ scope: Int32) -> Refusal {
        self[scope: scope].phase == .closed ? .closed : .pointBegan
    }

    /// Why a caller cannot have an entry for itself: another one that lives has claimed it.
    private func refusal(toShare place: Int32, _ kind: Call.Kind, _ dependent: Int32?) -> Refusal? {
        let claimant = entries[place].claimant
        guard claimant >= 0 else { return nil }
        switch kind {
        case .exclusive: return .claimed(by: entries.id(at: claimant))
        case .claim: return claimant == dependent ? nil : .claimed(by: entries.id(at: claimant))
        case .read, .use, .release, .phase: return nil
        }
    }

    /// Lets an entry claim another one.
    private mutating func claim(_ place: Int32, by dependent: Int32?) {
        guard let dependent else { return }
        entries[place].claimant = dependent
        entries[dependent].claimed = place
    }
}

// MARK: - Which entry

extension Lifecycle {
    /// The entry that stands for a resource in a scope: the last one whose release has not overrun.
    func entry(of resource: Int, in scope: Int32) -> Int32? {
        if let current {
            return current[ResourceKey(scope: scope, resource: resource)].flatMap(entries.place)
        }
        var place = self[scope: scope].entries.last
        while place >= 0 {
            if entries[place].resource == resource, entries[place].standsForResource { return place }
            place = entries[place].links.previous
        }
        return nil
    }

    /// Looking through some sixteen entries costs less than hashing.
    private mutating func note(_ place: Int32, as resource: Int, in scope: Int32) {
        guard entries[place].form != .memo else { return }
        if current != nil {
            current?[ResourceKey(scope: scope, resource: resource)] = entries.id(at: place)
        } else if entries.count > 16 {
            var all: [ResourceKey: Int] = [:]
            for place in entries.all where entries[place].standsForResource {
                all[ResourceKey(scope: entries[place].scope, resource: entries[place].resource)] = entries.id(at: place)
            }
            current = all
        }
    }

    /// The entry does not stand for its resource any more.
    mutating func unnote(_ place: Int32) {
        guard current != nil, entries[place].form != .memo else { return }
        let key = ResourceKey(scope: entries[place].scope, resource: entries[place].resource)
        if current?[key] == entries.id(at: place) { current?[key] = nil }
    }
}

// MARK: - What is built on what

extension Lifecycle {
    /// Whether a resource of that point and scope ends before the entry that wants to use it (rule 11), or before one
    /// inside of whose activity the store of that entry was opened.
    private func isCaptive(_ point: ReleasePoint, in scope: Int32, by dependent: Int32) -> Bool {
        var isCaptive = endsBefore(dependent, point, in: scope)
        forEachOpener(of: entries[dependent].scope) { opener in
            isCaptive = isCaptive || opener != dependent && endsBefore(opener, point, in: scope)
        }
        return isCaptive
    }

    private func endsBefore(_ dependent: Int32, _ point: ReleasePoint, in scope: Int32) -> Bool {
        let own = entries[dependent].scope
        guard own != scope else {
            return entries[dependent].point == .afterResponse && point == .beforeResponse
                && entries[dependent].state.isBeforeRelease
        }
        // A child that was opened inside of the entry's own activity ends before that does.
        var next = scope
        let id = entries.id(at: dependent)
        while next > 0 {
            if self[nesting: next].openedIn == id { return false }
            next = self[nesting: next].parent
            if next == own { return true }
        }
        return false
    }

    private func isAncestor(_ ancestor: Int32, of scope: Int32) -> Bool {
        var next = scope
        while next > 0 {
            next = self[nesting: next].parent
            if next == ancestor { return true }
        }
        return false
    }

    /// Why an entry cannot be built on another one that is held, or will be.
    private func refusal(toBuild dependent: Int32, on place: Int32) -> Refusal? {
        guard dependent != place else { return nil }
        // A scope that belongs to the other entry is closed after it.
        if !entries[place].boundScopes.isEmpty {
            var scope = entries[dependent].scope
            let id = entries.id(at: place)
            while scope > 0 {
                if self[nesting: scope].isBound, self[nesting: scope].openedIn == id {
                    return .captive(by: entries.id(at: dependent))
                }
                scope = self[nesting: scope].parent
            }
        }
        // What it lends to a child that belongs to it is given back in there.
        guard !isAncestor(entries[dependent].scope, of: entries[place].scope),
            let path = pathOfNeeds(from: place, to: dependent)
        else { return nil }
        return .cycle([entries.id(at: dependent)] + path.map(entries.id))
    }

    /// Notes that an entry is built on another one, which is held.
    mutating func build(_ dependent: Int32?, on place: Int32) {
        guard let dependent, dependent != place else { return }
        guard entries[place].form == .memo else { return link(dependent, to: place) }
        // On what the memo was built on; and if it is a memo itself, it ends with this one.
        for id in entries[place].dependencies.all {
            if let dependency = entries.place(of: id), entries[dependency].form != .memo {
                link(dependent, to: dependency)
            }
        }
        guard entries[dependent].form == .memo else { return }
        if entries[dependent].dependencies.insert(entries.id(at: place)) {
            _ = entries[place].memos.insert(entries.id(at: dependent))
        }
    }

    /// Whatever opened the store of an entry inside of its own activity uses what that is built on, too.
    private mutating func link(_ dependent: Int32, to place: Int32) {
        linkAlone(dependent, to: place)
        guard self[nesting: entries[dependent].scope].boundAbove > 0 else { return }
        var openers: [Int32] = []
        forEachOpener(of: entries[dependent].scope) { openers.append($0) }
        for opener in openers where opener != place { linkAlone(opener, to: place) }
    }

    private mutating func linkAlone(_ dependent: Int32, to place: Int32) {
        // A child that was opened inside of the entry's activity closes in there, with what it holds.
        guard !isAncestor(entries[dependent].scope, of: entries[place].scope) else { return }
        guard entries[dependent].dependencies.insert(entries.id(at: place)) else { return }
        _ = entries[place].dependents.insert(entries.id(at: dependent))
        if entries[dependent].scope == entries[place].scope {
            entries[place].ownDependents += 1
        } else {
            entries[place].foreignDependents += 1
        }
    }

    /// The entry has ended, or its value is kept: what it was built on need not stay for it.
    mutating func unlink(_ dependent: Int32, keepsMemo: Bool = false) {
        let id = entries.id(at: dependent)
        for dependency in entries[dependent].dependencies.all {
            guard let place = entries.place(of: dependency) else { continue }
            if entries[place].dependents.contains(id) {
                entries[place].dependents.remove(id)
                if entries[dependent].scope == entries[place].scope {
                    entries[place].ownDependents -= 1
                } else {
                    entries[place].foreignDependents -= 1
                }
                reconsider(place)
            }
            if keepsMemo { _ = entries[place].memos.insert(id) } else { entries[place].memos.remove(id) }
        }
        if !keepsMemo { entries[dependent].dependencies = NumberSet() }
    }
}

extension Lifecycle.Entry {
    /// Whether whoever wants its resource is answered by it.
    fileprivate var standsForResource: Bool { form == .around || form == .resource && state != .overdueRelease }
}

extension Lifecycle.Entry.State {
    /// Whether the release has not begun.
    fileprivate var isBeforeRelease: Bool {
        switch self {
        case .releasing, .overdueRelease: false
        default: true
        }
    }
}
