import PerRequest
import Testing

@Suite("Scope (rules 1 to 3)")
struct ScopeTests {
    private static let tag = RequestLocal<String?>("tag")

    @Test("Rule 1: each phase is entered once, and a repeat does nothing")
    func repeats() async throws {
        let journal = Journal()
        let before = noting("before", in: journal, released: .beforeResponse)
        let after = noting("after", in: journal)
        let observer = CountingObserver()
        let scope = StoreScope(observers: [observer])
        _ = try await before.get(in: scope.store)
        _ = try await after.get(in: scope.store)

        let first = await scope.settle(status: .http(200))
        let second = await scope.settle(status: .http(500))
        #expect(first.outcome.status == .http(200))
        #expect(second.outcome.status == .http(200))
        #expect(journal.entries.suffix(1) == ["release before: commit"])

        let closed = await scope.close(.completed)
        let again = await scope.close(.clientDisconnected, status: .http(500))
        #expect(closed.verdict == .commit)
        #expect(again.status == .http(200))
        #expect(again.ending.name == "completed")
        let late = await scope.settle(status: .http(404))
        #expect(late.outcome.status == .http(200))
        #expect(journal.entries.suffix(2) == ["release before: commit", "release after: commit"])
        #expect(observer.counts == .init(opened: 1, closed: 1, acquired: 2, released: 2))
    }

    @Test("Rule 1: settling and closing that race run each phase once, and each returns when its phase has ended")
    func racingOpeners() async throws {
        let journal = Journal()
        let before = RequestResource("before", released: .beforeResponse) {
        } release: { _, _ in
            await Task.yield()
            journal.note("before")
        }
        let after = RequestResource("after") {
        } release: { _, _ in
            await Task.yield()
            journal.note("after")
        }
        for _ in 0..<200 {
            let scope = StoreScope()
            try await before.get(in: scope.store)
            try await after.get(in: scope.store)
            await withTaskGroup { group in
                for _ in 0..<3 {
                    group.addTask { _ = await scope.settle(status: .http(200)) }
                    group.addTask {
                        _ = await scope.close()
                        #expect(scope.store.isClosed)
                    }
                }
            }
        }
        #expect(journal.entries == Array(repeating: ["before", "after"], count: 200).flatMap { $0 })
    }

    @Test("Rule 1: closing settles first")
    func closeSettles() async throws {
        let journal = Journal()
        let before = noting("before", in: journal, released: .beforeResponse)
        let after = noting("after", in: journal)
        let scope = StoreScope()
        _ = try await before.get(in: scope.store)
        _ = try await after.get(in: scope.store)
        let outcome = await scope.close(status: .http(503))
        #expect(journal.entries.suffix(2) == ["release before: rollback", "release after: rollback"])
        #expect(outcome.verdict == .rollback)
    }

    @Test("Rule 2: a scope opened inside a store is a root of its own")
    func roots() async throws {
        try await withRequestStore { outer in
            try Self.tag.set("outer")
            try await withRequestStore { inner in
                #expect(inner != outer)
                #expect(Self.tag.value == nil)
                try Self.tag.set("inner")
            }
            #expect(Self.tag.value == "outer")
            #expect(RequestStore.current == outer)
        }
    }

    @Test("Rule 3: the store is current in the body, in child tasks, and in factories and releases")
    func currency() async throws {
        let journal = Journal()
        let resource = RequestResource("resource") {
            await Task.yield()
            journal.note("factory \(Self.tag.value ?? "-")")
        } release: { _, _ in
            await Task.yield()
            journal.note("release \(Self.tag.value ?? "-")")
        }
        try await withRequestStore { store in
            try Self.tag.set("mine")
            #expect(RequestStore.current == store)
            async let child = RequestStore.current
            #expect(await child == store)
            try await resource.get()
        }
        #expect(journal.entries == ["factory mine", "release mine"])
        #expect(RequestStore.current == nil)
    }

    @Test("Rule 3: a resource of a store that is not current runs with its own store current")
    func ownersStore() async throws {
        let resource = RequestResource("resource") {
            RequestStore.current
        } release: { _, _ in
        }
        let around = RequestResource<RequestStore?>.around("around") { use in try await use(RequestStore.current) }
        let scope = StoreScope()
        try await withRequestStore { other in
            let inFactory = try await resource.get(in: scope.store)
            #expect(inFactory == scope.store)
            let inAround = try await around.get(in: scope.store)
            #expect(inAround == scope.store)
            #expect(RequestStore.current == other)
        }
        await scope.close()
    }

    @Test("Rule 3: factories and releases run at the opener's priority")
    func priority() async throws {
        let journal = Journal()
        let resource = RequestResource("resource") {
            await Task.yield()
            journal.note("\(Task.currentPriority == .high)")
        } release: { _, _ in
            await Task.yield()
            journal.note("\(Task.currentPriority == .high)")
        }
        try await Task(priority: .high) {
            try await withRequestStore { _ in
                // A child of a lower priority uses it first.
                try await withThrowingTaskGroup { group in
                    group.addTask(priority: .background) { try await resource.get() }
                    try await group.waitForAll()
                }
            }
        }.value
        #expect(journal.entries == ["true", "true"])
    }

    @Test("Rule 3: withoutRequestStore hides the store")
    func hidden() async throws {
        try await withRequestStore { store in
            try Self.tag.set("mine")
            withoutRequestStore {
                #expect(RequestStore.current == nil)
                #expect(Self.tag.value == nil)
            }
            await withoutRequestStore {
                await Task.yield()
                #expect(RequestStore.current == nil)
            }
            #expect(RequestStore.current == store)
        }
    }

    @Test("The isolation of the caller is kept: actor state can be used in the body")
    func isolation() async throws {
        actor Counter {
            var count = 0
            func run() async throws -> Int {
                try await withRequestStore { _ in
                    count += 1
                    await withoutRequestStore {
                        await Task.yield()
                        count += 1
                    }
                    return count
                }
            }
        }
        #expect(try await Counter().run() == 2)
    }

    @Test("The typed form throws the body's type")
    func typedThrows() async {
        enum Failure: Error { case body, release(RequestReleaseError) }
        let failing = RequestResource("failing") {
            1
        } release: { _, _ in
            throw TestError()
        }
        func run(failing fails: Bool) async throws(Failure) -> Int {
            try await withRequestStore(releaseFailure: Failure.release) { store throws(Failure) -> Int in
                if fails { throw .body }
                do { return try await failing.get() } catch { throw .body }
            }
        }
        do throws(Failure) {
            _ = try await run(failing: true)
            Issue.record("threw nothing")
        } catch {
            if case .release = error { Issue.record("threw \(error)") }
        }
        do throws(Failure) {
            _ = try await run(failing: false)
            Issue.record("threw nothing")
        } catch {
            if case .release(let release) = error {
                #expect(release.failures.map(\.resource) == ["failing"])
            } else {
                Issue.record("threw \(error)")
            }
        }
    }
}
