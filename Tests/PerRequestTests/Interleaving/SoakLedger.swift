import Synchronization

@testable import PerRequest

/// Sees what happens in one request of the soak, and says what must not have happened.
final class SoakLedger: Sendable {
    /// One acquisition.
    struct Instance: Sendable {
        enum State: Sendable { case flying, held, releasing, ended }

        let key: Int
        let store: Int
        var state = State.flying
        /// What it was built on, and what is built on it or uses it.
        var basis: Set<Int> = []
        var users: Set<User> = []
        var generation = 0
        var hasExclusiveBody = false
        var isLost = false
    }

    enum User: Hashable, Sendable {
        case instance(Int)
        case body(Int)
    }

    struct Store: Sendable {
        let parent: Int?
        var acquired = 0
        var released = 0
        var closed = 0
        var settled: RequestOutcome.Verdict?
        /// A release that was to commit before the response has failed.
        var failedCommit: Int?
        /// What was released at its point and told to commit.
        var committed: Int?
    }

    struct State: Sendable {
        var instances: [Instance] = []
        var stores: [Int: Store] = [:]
        var isRootClosed = false
        var wasFailed = false
        var bodies = 0
        var tasks = 0
        var problems: [String] = []
        var log: [String] = []
    }

    private let state = Lock(State())
    /// Whether all runs on one thread, so that nothing happens between a step and its note.
    private let isStrict: Bool
    /// Holds all events against the rules of their order.
    let events = EventLedger()
    /// The same of those that were noted in a log.
    let noted = EventLedger()
    let allClosed = Signal()
    let tasksDone = Signal()

    init(isStrict: Bool) { self.isStrict = isStrict }

    var problems: [String] { state.withLock { $0.problems } }
    var log: [String] { state.withLock { $0.log } }
    var acquisitions: Int { state.withLock { $0.instances.count } }
    var storeCount: Int { state.withLock { $0.stores.count } }

    func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        state.withLock { state in body(&state) }
    }

    // MARK: Tasks

    func taskBegan() { change { $0.tasks += 1 } }

    func taskEnded() {
        let isLast = change { state in
            state.tasks -= 1
            return state.tasks == 0
        }
        if isLast { tasksDone.fire() }
    }

    /// A step has failed a store.
    func failed() { change { $0.wasFailed = true } }

    var wasFailed: Bool { state.withLock { $0.wasFailed } }

    func problem(_ text: String) { change { $0.problems.append(text) } }

    func note(_ text: String) { change { $0.log.append(text) } }

    // MARK: Acquisitions

    func acquisitionBegan(_ key: Int, in store: Int) -> Int {
        change { state in
            state.instances.append(Instance(key: key, store: store))
            let id = state.instances.count - 1
            state.log.append("\(id): acquires \(key) in \(store)")
            return id
        }
    }

    /// Code of an acquisition has got a value that has to stay until the acquisition has ended.
    func build(_ id: Int, on value: SoakValue) {
        change { state in
            for basis in value.basis where basis != id {
                // What a store holds that was opened inside of it ends with that store.
                if state.isInside(state.instances[basis].store, of: state.instances[id].store) { continue }
                state.instances[id].basis.insert(basis)
                state.instances[basis].users.insert(.instance(id))
                state.log.append("\(id): built on \(basis)")
                if state.instances[basis].isLost { continue }
                if state.instances[basis].state == .releasing || state.instances[basis].state == .ended {
                    state.problems.append("11: \(id) was built on \(basis), which was \(state.instances[basis].state)")
                }
            }
        }
    }

    /// The acquisitions that a memo's value has been built on.
    func basis(of id: Int) -> [Int] { change { Array($0.instances[id].basis) } }

    func acquired(_ id: Int) {
        change { state in
            guard state.instances[id].state == .flying else { return }
            state.instances[id].state = .held
            state.log.append("\(id): held")
        }
    }

    func releaseBegan(_ id: Int, _ verdict: RequestOutcome.Verdict, generation: Int? = nil, isAtPoint: Bool) {
        change { state in
            let instance = state.instances[id]
            state.log.append("\(id): released, \(verdict)")
            if instance.state != .held { state.problems.append("12: \(id) released while \(instance.state)") }
            if !instance.users.isEmpty { state.problems.append("13: \(id) released under \(instance.users)") }
            if let generation, generation != instance.generation {
                state.problems.append("\(id) released as \(generation), its bodies left \(instance.generation)")
            }
            state.instances[id].state = .releasing
            guard isAtPoint, verdict == .commit, SoakKeys.point(of: instance.key) == .afterResponse else { return }
            state.stores[instance.store]?.committed = id
        }
    }

    /// A release ends, or the function of an `around` resource, or an acquisition without a value.
    func ended(_ id: Int, _ told: RequestOutcome.Verdict? = nil, failed: Bool = false) {
        change { state in
            let instance = state.instances[id]
            state.log.append("\(id): ended\(failed ? ", failed" : "") as \(instance.state)")
            if instance.state == .ended { state.problems.append("12: \(id) ended twice") }
            state.instances[id].isLost = instance.state == .held
            state.instances[id].state = .ended
            for basis in instance.basis { state.instances[basis].users.remove(.instance(id)) }
            state.instances[id].basis = []
            guard failed, told == .commit, SoakKeys.point(of: instance.key) == .beforeResponse else { return }
            state.stores[instance.store]?.failedCommit = id
        }
    }

    // MARK: Bodies

    func bodyBegan(with value: SoakValue, isExclusive: Bool) -> Int {
        change { state in
            let id = value.id
            let instance = state.instances[id]
            // The function may have ended since the body was let in, on another thread.
            if instance.state != .held, isStrict || !instance.isLost {
                state.problems.append("17: a body began with \(id), which was \(instance.state)")
            }
            state.bodies += 1
            state.instances[id].users.insert(.body(state.bodies))
            state.log.append("\(id): body \(state.bodies) began")
            guard isExclusive else { return state.bodies }
            if instance.hasExclusiveBody { state.problems.append("two bodies had \(id) for themselves") }
            if value.generation != instance.generation {
                state.problems.append("\(id) lent as \(value.generation), left as \(instance.generation)")
            }
            state.instances[id].hasExclusiveBody = true
            return state.bodies
        }
    }

    func bodyEnded(_ body: Int, with value: SoakValue, isExclusive: Bool) {
        change { state in
            state.instances[value.id].users.remove(.body(body))
            state.log.append("\(value.id): body \(body) ended")
            guard isExclusive else { return }
            state.instances[value.id].hasExclusiveBody = false
            state.instances[value.id].generation += 1
        }
    }

    /// What nobody must get any more who asks now.
    func gone() -> Set<Int> {
        change { state in
            Set(
                state.instances.indices.filter {
                    let instance = state.instances[$0]
                    return instance.state == .releasing || (instance.state == .ended && !instance.isLost)
                }
            )
        }
    }

    /// Somebody has got a value that was built on what had begun to be released when he asked.
    func got(_ value: SoakValue, after gone: Set<Int>) {
        guard let dead = value.basis.first(where: gone.contains) else { return }
        problem("14: a value of \(dead) was given out after its release had begun")
    }

    /// Whether a function of a store has ended while its value was in use.
    func hasLost(in store: Int) -> Bool {
        change { state in state.instances.contains { $0.store == store && $0.isLost } }
    }
}

extension SoakLedger.State {
    /// Whether a store is a child of another, however far.
    func isInside(_ store: Int, of outer: Int) -> Bool {
        var next = stores[store]?.parent
        while let parent = next {
            if parent == outer { return true }
            next = stores[parent]?.parent
        }
        return false
    }
}
