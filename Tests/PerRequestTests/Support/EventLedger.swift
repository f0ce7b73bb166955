import Synchronization

@testable import PerRequest

/// Replays what observers are told, and says which of its rules does not hold.
final class EventLedger: RequestObserver {
    fileprivate struct Store: Sendable {
        let parent: RequestStore?
        var isSettled = false
        var isClosed = false
    }

    fileprivate enum Stage: Sendable, Equatable {
        case acquiring, held, releasing, ended
    }

    fileprivate struct State: Sendable {
        var stores: [RequestStore: Store] = [:]
        var acquisitions: [RequestEvent.Acquisition.ID: (store: RequestStore, stage: Stage)] = [:]
        var waits: Set<RequestEvent.Call.ID> = []
        var uses: [RequestEvent.Call.ID: RequestEvent.Acquisition.ID] = [:]
        var jobs: [RequestEvent.Job.ID: Bool] = [:]
        var problems: [String] = []
        var counts: [String: Int] = [:]
    }

    private let state = Lock(State())

    /// What did not hold so far.
    var problems: [String] { state.withLock { $0.problems } }

    /// How often each kind was told.
    var counts: [String: Int] { state.withLock { $0.counts } }

    /// What is not over.
    var open: [String] {
        state.withLock { state in
            state.stores.filter { !$0.value.isClosed }.map { "store \($0.key)" }
                + state.acquisitions.filter { $0.value.stage != .ended }.map {
                    "acquisition \($0.key): \($0.value.stage)"
                }
                + state.waits.map { "wait \($0)" } + state.uses.map { "use \($0.key)" }
                + state.jobs.keys.map { "job \($0)" }
        }
    }

    func observe(_ event: RequestEvent) { state.withLock { $0.take(event) } }
}

extension EventLedger.State {
    fileprivate mutating func take(_ event: RequestEvent) {
        // Nothing is asked of the store: where it is told from a log, a lock may be held.
        let name = caseName(of: event.kind)
        counts[name, default: 0] += 1
        var broken: [String] = []
        func expect(_ holds: Bool, _ rule: String) { if !holds { broken.append(rule) } }
        defer {
            for rule in broken {
                problems.append("\(name) in \(event.store.number): \(rule); \(event.acquisition as Any)")
            }
        }
        let isOpen = stores[event.store].map { !$0.isClosed }
        switch event.kind {
        case .opened(let parent):
            expect(stores[event.store] == nil, "opened twice")
            if let parent { expect(stores[parent].map { !$0.isClosed } ?? false, "its parent is not open") }
            stores[event.store] = .init(parent: parent)
        case .settled:
            expect(isOpen == true && stores[event.store]?.isSettled == false, "settled once, while open")
            stores[event.store]?.isSettled = true
        case .closed:
            expect(isOpen == true && stores[event.store]?.isSettled == true, "closed once, after it was settled")
            expect(!stores.values.contains { $0.parent == event.store && !$0.isClosed }, "a child is open")
            expect(!acquisitions.values.contains { $0.store == event.store && $0.stage != .ended }, "something is held")
            stores[event.store]?.isClosed = true
        case .acquiring(let acquisition):
            expect(isOpen == true && acquisitions[acquisition.id] == nil, "acquired once, while open")
            acquisitions[acquisition.id] = (event.store, .acquiring)
        case .acquired(let acquisition): expect(go(acquisition, from: [.acquiring], to: .held), "was not acquiring")
        case .computed(let acquisition), .acquisitionFailed(let acquisition, _):
            expect(go(acquisition, from: [.acquiring], to: .ended), "was not acquiring")
        case .releasing(let acquisition, _):
            expect(go(acquisition, from: [.held], to: .releasing), "was not held")
            expect(!uses.values.contains(acquisition.id), "it is in use")
        case .released(let acquisition, _):
            expect(go(acquisition, from: [.held, .releasing], to: .ended), "was not held")
        case .waitBegan(let call):
            let isNew = waits.insert(call.id).inserted
            expect(isNew, "waits twice")
        case .waitEnded(let call, _):
            let waited = waits.remove(call.id)
            expect(waited != nil, "did not wait")
        case .useBegan(let call):
            // A function that ends by itself may do so when its body begins.
            let previous = uses.updateValue(call.acquisition.id, forKey: call.id)
            expect(previous == nil, "used twice")
            expect(
                acquisitions[call.acquisition.id].map { $0.stage != .acquiring } ?? false,
                "used before it was there"
            )
            expect(acquisitions[call.acquisition.id]?.stage != .releasing, "used while it was released")
        case .useEnded(let call):
            let use = uses.removeValue(forKey: call.id)
            expect(use != nil, "did not use it")
        case .jobAdmitted(let job):
            let previous = jobs.updateValue(false, forKey: job.id)
            expect(previous == nil, "admitted twice")
        case .jobStarted(let job, _):
            let hadStarted = jobs.updateValue(true, forKey: job.id)
            expect(hadStarted == false, "started once, after it was admitted")
        case .jobEnded(let job, let end):
            let hadStarted = jobs.removeValue(forKey: job.id)
            expect(hadStarted != nil, "ended once")
            if case .withdrawn = end { expect(hadStarted == false, "withdrawn after it has started") }
        case .limitPassed, .serving, .entered: break
        }
    }

    private mutating func go(
        _ acquisition: RequestEvent.Acquisition,
        from stages: [EventLedger.Stage],
        to stage: EventLedger.Stage
    ) -> Bool {
        guard let old = acquisitions[acquisition.id] else { return false }
        acquisitions[acquisition.id]?.stage = stage
        return stages.contains(old.stage)
    }
}
