#if Inspector
import PerRequest
import PerRequestAdapters
import PerRequestTestSupport
import Synchronization
import Testing

@testable import PerRequestInspector

@Suite("What the inspector keeps")
struct BoundsTests {
    @Test(
        "is the requests that closed last, so many of them, after however many",
        arguments: [(1, 1_000), (3, 1_000), (500, 100_000)]
    )
    func capacity(_ count: Int, of all: Int) async throws {
        let inspector = RequestInspector(keepsClosedRequests: count)
        for number in 0..<all { try await withRequestStore(id: "\(number)", observers: [inspector]) { _ in } }
        let look = inspector.look()
        #expect(look.timelines.map(\.name) == (all - count..<all).reversed().map { "\($0)" })
        #expect(look.forgotten == all - count)
    }

    @Test("is no store and no error of a request that has closed")
    func lifetimes() async throws {
        final class Tracked: Error, Sendable {}
        let inspector = RequestInspector()
        let key = RequestResource<Int>("failing") {
            throw Tracked()
        } release: { _, _ in
        }
        let value = RequestLocal<Tracked?>("value", logged: { _ in "shown" })
        weak var held: Tracked?
        weak var thrown: Tracked?
        do {
            let (inside, error) = (Tracked(), Tracked())
            (held, thrown) = (inside, error)
            try await withRequestStore(observers: [inspector]) { store in
                try value.set(inside)
                _ = try? await key.get()
                store.fail(error)
            }
        }
        #expect(held == nil)
        #expect(thrown == nil)
        let timeline = try #require(inspector.recorder.lookAtAll().timelines.first)
        #expect(timeline.store == nil)
        #expect(timeline.shownValues.map(\.value) == ["shown"])
    }

    @Test("is nothing of a request that is forgotten, where its memory serves another")
    func forgetting() async throws {
        let inspector = RequestInspector(keepsClosedRequests: 1)
        let watch = Watch()
        let connection = watch.resource("connection")
        let value = RequestLocal<String?>("value", logged: { $0 })
        for round in 0..<50 {
            try? await withRequestStore(id: "full \(round)", observers: [inspector]) { _ in
                try value.set("shown")
                try await connection.use { _ in }
                throw TestError("failed")
            }
            let full = try #require(inspector.look().timelines.first)
            #expect(full.acquisitions.count == 1 && full.calls.count == 1 && full.end?.error != nil)
            try await withRequestStore(id: "plain \(round)", observers: [inspector]) { _ in }
            let look = inspector.look()
            let plain = try #require(look.timelines.first)
            #expect(look.timelines.count == 1)
            #expect(plain.name == "plain \(round)")
            #expect(plain.acquisitions.isEmpty && plain.calls.isEmpty && plain.limits.isEmpty)
            #expect(plain.tags.isEmpty && plain.shownValues.isEmpty)
            #expect(plain.end?.error == nil)
            #expect(plain.parts == plain.phases.count)
        }
    }

    @Test("is what each of several inspectors has room for")
    func several() async throws {
        let inspectors = [1, 500, 3].map { RequestInspector(keepsClosedRequests: $0) }
        let watch = Watch()
        let connection = watch.resource("connection")
        for number in 0..<20 {
            // Another one is the first each time.
            let observers = (0..<3).map { inspectors[(number + $0) % 3] }
            try await withRequestStore(id: "\(number)", observers: observers) { _ in _ = try await connection.get() }
        }
        for (inspector, count) in zip(inspectors, [1, 20, 3]) {
            let timelines = inspector.look().timelines
            #expect(timelines.map(\.name) == (20 - count..<20).reversed().map { "\($0)" })
            #expect(timelines.allSatisfy { !$0.isOpen && $0.acquisitions.map(\.isHeld) == [false] })
        }
    }

    @Test("is so many parts of one request, and says how many are missing")
    func parts() async throws {
        let inspector = RequestInspector()
        let memo = RequestMemo("number") { (number: Int) in number }
        try await withRequestStore(observers: [inspector]) { _ in
            for number in 0..<1_000 { _ = try await memo(number) }
        }
        let timeline = try #require(inspector.look().timelines.first)
        #expect(timeline.parts == Timeline.partLimit)
        #expect(timeline.acquisitions.count + timeline.phases.count <= Timeline.partLimit)
        #expect(timeline.dropped >= 1_000 - Timeline.partLimit)
        #expect(timeline.acquisitions.allSatisfy { $0.computed != nil })
    }

    @Test("is so many parts in all, the oldest requests going first; then those of new requests again")
    func allParts() async throws {
        let inspector = RequestInspector(keepsClosedRequests: 100)
        let memo = RequestMemo("number") { (number: Int) in number }
        for request in 0..<100 {
            try await withRequestStore(id: "\(request)", observers: [inspector]) { _ in
                for number in 0..<1_000 { _ = try await memo(number) }
            }
        }
        let timelines = inspector.look().timelines
        #expect(timelines.first?.name == "99")
        #expect(timelines.map(\.parts).reduce(0, +) <= 100 * 50)
        #expect(timelines.allSatisfy { $0.parts == Timeline.partLimit }, "none is cut short by the others")
    }

    @Test("is so many open stores, and no more; then others again")
    func open() async throws {
        let inspector = RequestInspector()
        var scopes: [RequestScope] = []
        for _ in 0..<Recorder.openLimit + 10 { scopes.append(RequestScope(observers: [inspector])) }
        #expect(inspector.look().timelines.count == Recorder.openLimit)
        #expect(inspector.look().forgotten == 10)
        for scope in scopes { await scope.close() }
        scopes = []
        #expect(inspector.look().timelines.count == 500)
        let scope = RequestScope(observers: [inspector])
        #expect(inspector.look().timelines.filter(\.isOpen).count == 1)
        await scope.close()
    }

    @Test("is in the bounds that its documentation states, whatever the names")
    func memory() async throws {
        let inspector = RequestInspector()
        let long = String(repeating: "<&é", count: 500)
        let key = RequestResource<Int>(long) {
            throw TestError(long)
        } release: { _, _ in
        }
        let local = RequestLocal<String?>(long, logged: { $0 })
        for _ in 0..<400 {
            try? await withRequestStore(id: long, observers: [inspector]) { _ in
                try local.set(long)
                for _ in 0..<100 { _ = try? await key.get() }
                throw TestError(long)
            }
        }
        let timelines = inspector.look().timelines
        #expect(timelines.count > 100)
        let bytes = timelines.map(\.size).reduce(0, +)
        #expect(bytes < 60_000_000, "\(bytes) bytes")
    }

    @Test("is nothing once the inspector has ended, though a request is open that it has seen")
    func end() async throws {
        let key = RequestResource("connection") {
            1
        } release: { _, _ in
        }
        // It hands on what it is told, and does not keep the inspector.
        final class Observer: RequestObserver {
            let inspector: Mutex<RequestInspector?>
            init(_ inspector: RequestInspector) { self.inspector = Mutex(inspector) }
            func observe(_ event: RequestEvent) { inspector.withLock { $0 }?.observe(event) }
        }
        weak var recorder: Recorder?
        try await withRequestStore { _ in
            let observer = Observer(RequestInspector())
            recorder = observer.inspector.withLock { $0 }?.recorder
            try await withRequestStore(id: "closed", observers: [observer]) { _ in }
            try await withRequestStore(id: "open", observers: [observer]) { _ in
                _ = try await key.get()
                #expect(recorder?.lookAtAll().timelines.count == 2)
                observer.inspector.withLock { $0 = nil }
                #expect(recorder?.lookAtAll().timelines.isEmpty ?? true)
                try await key.use { _ in }
            }
        }
        #expect(recorder == nil)
    }

    @Test("is what several tasks do at once, as each of them did it")
    func concurrently() async throws {
        let inspector = RequestInspector(keepsClosedRequests: 2_000)
        let watch = Watch()
        let connection = watch.resource("connection")
        await withTaskGroup { group in
            for task in 0..<8 {
                group.addTask {
                    for request in 0..<100 {
                        try? await withRequestStore(id: "\(task) \(request)", observers: [inspector]) { _ in
                            _ = try await connection.get()
                        }
                        if request.isMultiple(of: 10) { _ = inspector.look() }
                    }
                }
            }
        }
        let timelines = inspector.look().timelines
        #expect(Set(timelines.map(\.name)).count == 800)
        #expect(timelines.allSatisfy { $0.acquisitions.count == 1 && $0.acquisitions[0].released != nil && !$0.isOpen })
    }
}

extension Timeline {
    /// How many bytes an acquisition's description takes, which the core has made.
    private static let described =
        32 + 3 * MemoryLayout<RequestEvent.Acquisition.ID?>.stride + 2 * MemoryLayout<SourcePosition?>.stride

    /// How many bytes it takes, with what it refers to.
    fileprivate var size: Int {
        func size(_ text: String?) -> Int { text.map { $0.utf8.count + 48 } ?? 0 }
        let strings =
            acquisitions.map { Self.described + size($0.key) + size($0.error) + size($0.releaseError) }
            + calls.map { size($0.key) + size($0.error) } + jobs.map { size($0.name) + size($0.error) }
            + shownValues.map { size($0.value) + 24 } + [size(name), size(end?.error), size(served?.route)]
        return MemoryLayout<Timeline>.stride + strings.reduce(0, +)
            + acquisitions.capacity * MemoryLayout<Acquisition>.stride + calls.capacity * MemoryLayout<Call>.stride
            + jobs.capacity * MemoryLayout<Job>.stride + limits.capacity * MemoryLayout<Limit>.stride
            + phases.capacity * MemoryLayout<(RequestEvent.Phase, Moment)>.stride
            + tags.capacity * MemoryLayout<Int32>.stride
    }
}
#endif
