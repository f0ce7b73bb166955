/// What a store is asked for.
struct ResourceRequest: Hashable, Sendable {
    let resource: Int
    let form: Lifecycle.Form
    let point: ReleasePoint
    /// The caller is cancelled already: it can read what is held, and starts nothing (rule 9).
    var isCancelled = false
    /// The entry inside whose factory the request is made.
    var dependent: Int?
    /// The caller uses the value in a body that the release has to wait for.
    var pins = false
}

extension Lifecycle {
    /// A caller that waits for an entry.
    struct Waiter: Hashable, Sendable {
        let id: Int
        let pins: Bool
    }

    /// The answer to a caller that wants a resource.
    enum Admission: Hashable, Sendable {
        /// The value is there.
        case ready(Int)
        /// The caller waits for a flight that it has to start.
        case start(Int)
        /// The caller waits for a flight that is under way.
        case join(Int)
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
        /// The entries along the cycle that the wait would close, from the one that wants to the one it wants.
        case cycle([Int])
        /// The resource is released before the one inside whose factory it was asked for.
        case captive(by: Int)
    }

    /// Asks for a resource on behalf of `waiter`.
    mutating func acquire(_ request: ResourceRequest, waiter: Int) -> Admission {
        let dependent = request.dependent.flatMap(index).flatMap { entries[$0].state.isFlying ? entries[$0] : nil }
        if let dependent, dependent.point == .afterResponse, request.point == .beforeResponse {
            return .refuse(.captive(by: dependent.id))
        }
        guard let index = entries.lastIndex(where: { $0.resource == request.resource && $0.state != .overdueRelease })
        else {
            return start(request, waiter: waiter, dependent: dependent)
        }
        let id = entries[index].id
        if let dependent, let path = path(from: id, to: dependent.id) {
            return .refuse(.cycle([dependent.id] + path))
        }
        switch entries[index].state {
        case .held:
            guard entries[index].earlyVerdict == nil else { return .refuse(.released) }
            if request.pins { entries[index].uses += 1 }
            addDependency(of: dependent, on: id)
            return .ready(id)
        case .acquiring:
            guard !request.isCancelled else { return .refuse(.callerCancelled) }
            entries[index].waiters.append(Waiter(id: waiter, pins: request.pins))
            addDependency(of: dependent, on: id)
            return .join(id)
        case .cancelling, .overdueFlight:
            return .refuse(hasBegun(request.point) ? refusalAfterBegin : .stillEnding)
        case .late:
            return .refuse(hasBegun(request.point) ? .released : .stillEnding)
        case .awaitingUses, .overdueUses, .releasing, .overdueRelease:
            return .refuse(.released)
        case .lost:
            return .refuse(.lost)
        case .spent:
            return .refuse(.spent)
        }
    }

    private mutating func start(_ request: ResourceRequest, waiter: Int, dependent: Entry?) -> Admission {
        guard isOwned else { return .refuse(.notOwned) }
        guard !hasBegun(request.point) else { return .refuse(refusalAfterBegin) }
        guard !request.isCancelled else { return .refuse(.callerCancelled) }
        let id = nextEntry
        nextEntry += 1
        entries.append(
            Entry(
                id: id,
                resource: request.resource,
                point: request.point,
                form: request.form,
                state: .acquiring,
                waiters: [Waiter(id: waiter, pins: request.pins)]
            )
        )
        addDependency(of: dependent, on: id)
        return .start(id)
    }

    /// Adds a use to those of an entry that has one already, and so cannot be released meanwhile.
    mutating func addUse(of id: Int) {
        guard let index = index(of: id), entries[index].uses > 0 else { return }
        entries[index].uses += 1
    }

    private var refusalAfterBegin: Refusal { phase == .closed ? .closed : .pointBegan }

    private mutating func addDependency(of dependent: Entry?, on id: Int) {
        guard let dependent, let index = index(of: dependent.id) else { return }
        guard !entries[index].dependencies.contains(id) else { return }
        entries[index].dependencies.append(id)
    }

    /// The entries from `start` to `goal` along dependencies, both included, if there is such a path.
    func path(from start: Int, to goal: Int) -> [Int]? {
        if start == goal { return [goal] }
        guard let index = index(of: start) else { return nil }
        for next in entries[index].dependencies {
            if let rest = path(from: next, to: goal) { return [start] + rest }
        }
        return nil
    }
}
