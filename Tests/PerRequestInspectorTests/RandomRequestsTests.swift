#if Inspector
import PerRequest
import PerRequestTestSupport
import Synchronization
import Testing

@testable import PerRequestInspector

/// The inspector keeps logs and is told of nothing: what it shows has to be what observers are told.
@Suite("What the inspector shows of random requests")
struct RandomRequestsTests {
    @Test("is what observers are told, whoever looks meanwhile, and also where an observer hands it on")
    func same() async throws {
        let inspector = RequestInspector(keepsClosedRequests: 5_000)
        let handedOn = RequestInspector(keepsClosedRequests: 5_000)
        let story = Story()
        let observers: [any RequestObserver] = [inspector, HandingOn(inspector: handedOn), story]
        let seed = UInt64.random(in: 0..<1_000_000)
        await withTaskGroup { group in
            for task in 0..<4 {
                group.addTask {
                    for request in 0..<100 {
                        var random = SeededGenerator(seed: seed &* 1_000 &+ UInt64(task * 100 + request))
                        await self.serve(observers, &random)
                        if request.isMultiple(of: 7) { _ = inspector.look() }
                    }
                }
            }
        }
        let stores = story.stores
        #expect(stores.count >= 400)
        for (name, inspector) in [("told of nothing", inspector), ("told by another", handedOn)] {
            let look = inspector.look()
            #expect(look.forgotten == 0)
            let shown = Dictionary(uniqueKeysWithValues: look.timelines.map { ($0.number, Story.Store($0)) })
            #expect(shown.keys.sorted() == stores.keys.sorted(), "\(name)")
            for (number, store) in stores where shown[number] != store {
                Issue.record("\(name), seed \(seed), store \(number): \(store) is shown as \(shown[number] as Any)")
                return
            }
        }
    }

    private let connection = RequestResource("connection") {
        await Task.yield()
        return 1
    } release: { _, _ in
    }
    private let failing = RequestResource<Int>("failing", released: .beforeResponse) {
        throw TestError("failing")
    } release: { _, _ in
    }
    private let unreleasable = RequestResource("unreleasable", released: .beforeResponse) {
        1
    } release: { _, _ in
        throw Unreleasable()
    }
    private let square = RequestMemo("square") { (number: Int) in number * number }
    private let tenant = RequestLocal<String?>("tenant", logged: { $0 })

    private func serve(_ observers: [any RequestObserver], _ random: inout SeededGenerator) async {
        let steps = (0..<Int.random(in: 0..<6, using: &random)).map { _ in Int.random(in: 0..<11, using: &random) }
        try? await withRequestStore(observers: observers) { store in
            for step in steps { try await perform(step, in: store) }
        }
    }

    private func perform(_ step: Int, in store: RequestStore) async throws {
        switch step {
        case 0: _ = try await connection.get()
        case 1: try await connection.use { _ in }
        // More than is noted before it is made sense of.
        case 2: for _ in 0..<40 { try await connection.use { _ in } }
        case 3: _ = try? await failing.get()
        case 4: _ = try await unreleasable.get()
        case 5: for number in 0..<5 { _ = try await square(number) }
        case 6: try tenant.set("acme")
        case 7:
            // One of them waits for the other.
            async let first = connection.get(in: store)
            async let second = connection.get(in: store)
            _ = try await first + second
        case 8:
            try await withRequestStore(.child(owning: connection)) { _ in
                _ = try await connection.get()
                _ = try await square(7)
            }
        case 9:
            try RequestStore.afterResponse("job") { try await connection.use { _ in } }
            try RequestStore.afterResponse("other job") { try tenant.set("other") }
        default: throw TestError("the request")
        }
    }
}

/// Nobody reports it.
private struct Unreleasable: IntendedFailure {}

/// Hands on what it is told.
private struct HandingOn: RequestObserver {
    let inspector: RequestInspector

    func observe(_ event: RequestEvent) { inspector.observe(event) }
}

/// What an observer is told of each store.
private final class Story: RequestObserver {
    struct Store: Sendable, Equatable {
        var parent: Int?
        /// Of each acquisition, in the order in which they began: its key, and what became of it.
        var acquisitions: [RequestEvent.Acquisition.ID: [String]] = [:]
        /// Of each wait and each use, what it was for and whether it failed.
        var calls: [RequestEvent.Call.ID: [String]] = [:]
        var jobs: [RequestEvent.Job.ID: [String]] = [:]
        var phases: [RequestEvent.Phase] = []
        var verdict: RequestOutcome.Verdict?
        var ending: String?
    }

    private let state = Mutex<[Int: Store]>([:])

    var stores: [Int: Store] { state.withLock { $0 } }

    func observe(_ event: RequestEvent) {
        state.withLock { stores in stores[event.store.identity, default: Store()].take(event) }
    }
}

extension Story.Store {
    mutating func take(_ event: RequestEvent) {
        switch event.kind {
        case .opened(let parent): self.parent = parent?.identity
        case .settled(let verdict): self.verdict = verdict
        case .closed(let outcome): ending = Timeline.End.Ending(outcome.ending).rawValue
        case .acquiring(let acquisition): acquisitions[acquisition.id] = [acquisition.key]
        case .acquired(let acquisition): acquisitions[acquisition.id]?.append("acquired")
        case .computed(let acquisition): acquisitions[acquisition.id]?.append("computed")
        case .acquisitionFailed(let acquisition, let error):
            acquisitions[acquisition.id]?.append("failed: \(String(reflecting: error))")
        case .releasing(let acquisition, let verdict): acquisitions[acquisition.id]?.append("\(verdict)")
        case .released(let acquisition, let error):
            acquisitions[acquisition.id]?.append(error.map { "released: \(String(reflecting: $0))" } ?? "released")
        case .waitBegan(let call): calls[call.id] = ["wait for \(call.acquisition.key)"]
        case .useBegan(let call): calls[call.id] = ["use of \(call.acquisition.key)"]
        case .waitEnded(let call, let error): calls[call.id]?.append(error == nil ? "ended" : "failed")
        case .useEnded(let call): calls[call.id]?.append("ended")
        case .jobAdmitted(let job): jobs[job.id] = []
        case .jobStarted(let job, _): jobs[job.id]?.append("started")
        case .jobEnded(let job, let end): jobs[job.id]?.append(Timeline.Job.End(end).rawValue)
        case .entered(let phase): phases.append(phase)
        case .serving, .limitPassed: break
        }
    }

    /// What the inspector shows of it.
    init(_ timeline: Timeline) {
        parent = timeline.parent
        phases = timeline.phases.map(\.phase)
        verdict = timeline.settled?.verdict
        ending = timeline.end?.ending.rawValue
        for acquisition in timeline.acquisitions {
            var story = [acquisition.key]
            if acquisition.acquired != nil { story.append("acquired") }
            if acquisition.computed != nil { story.append("computed") }
            if acquisition.failed != nil { story.append("failed: \(acquisition.error ?? "")") }
            if let releasing = acquisition.releasing { story.append("\(releasing.verdict)") }
            if acquisition.released != nil {
                story.append(acquisition.releaseError.map { "released: \($0)" } ?? "released")
            }
            acquisitions[acquisition.id] = story
        }
        for call in timeline.calls {
            var story = ["\(call.isUse ? "use of" : "wait for") \(call.key)"]
            if call.to != nil { story.append(call.error == nil ? "ended" : "failed") }
            calls[call.call.id] = story
        }
        for job in timeline.jobs {
            jobs[job.id] = (job.started == nil ? [] : ["started"]) + (job.end.map { [$0.rawValue] } ?? [])
        }
    }
}
#endif
