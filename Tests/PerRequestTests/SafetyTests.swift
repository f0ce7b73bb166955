import Synchronization
import Testing

@testable import PerRequest

@Suite("Safety and cost (rules 21 and 22)")
struct SafetyTests {
    @Test("Rule 21: a scope dropped while open reports itself and releases what it holds as abandoned")
    func abandoned() async throws {
        let journal = Journal()
        let reports = Reports()
        let closed = Signal()
        let first = noting("first", in: journal)
        let around = RequestResource<Int>.around("around") { use in
            do {
                return try await use(1)
            } catch {
                journal.note("around: \(type(of: error))")
                throw error
            }
        }
        let last = RequestResource("last") {
            1
        } release: { _, outcome in
            journal.note("release last: \(outcome.verdict), \(outcome.ending.name)")
        }
        let observer = CountingObserver()
        func open() async throws -> RequestStore {
            let scope = StoreScope(observers: [observer], report: reports.take)
            _ = try await first.get(in: scope.store)
            // Its task holds the store current for as long as it waits; that must not keep the request open.
            _ = try await around.get(in: scope.store)
            _ = try await last.get(in: scope.store)
            return scope.store
        }
        let store = try await open()
        while observer.counts.closed == 0 { await Task.yield() }
        closed.fire()
        #expect(store.isClosed)
        #expect(
            journal.entries == [
                "acquire first", "release last: rollback, abandoned", "around: RequestRollback",
                "release first: rollback",
            ]
        )
        #expect(reports.all.map { "\($0.kind)" } == [#"abandoned(resources: ["first", "around", "last"])"#])
    }

    @Test("Rule 21: a scope that was closed reports nothing when it is dropped")
    func closed() async throws {
        for _ in 0..<10 {
            let scope = StoreScope(report: { Issue.record("\($0)") })
            await scope.close()
        }
    }

    @Test("Rule 21: nothing holds the store after its request")
    func notRetained() async throws {
        let resource = RequestResource("resource") {
            await Task.yield()
        } release: { _, _ in
            await Task.yield()
        }
        weak var core: StoreCore?
        // Given an id, it is not kept to be opened again.
        try await withRequestStore(id: "ends") { store in
            core = store.core
            try await resource.get()
        }
        while core != nil { await Task.yield() }
    }

    @Test("Rule 7: a limit of a request that has ended does nothing to the next one, which has its store")
    func limitOfAnother() async throws {
        let core = RequestCore(.plain)
        let number = core.identity
        _ = core.effects(of: .settle(core.scope, success: true))
        _ = core.effects(of: .close(core.scope, success: true, completed: true))
        #expect(core.forgetAll())
        #expect(core.reopen() != number)
        let isReleasing = Signal()
        let mayEnd = Signal()
        let resource = RequestResource("resource", released: .beforeResponse) {
            1
        } release: { _, _ in
            isReleasing.fire()
            await mayEnd.wait()
        }
        _ = try await resource.get(in: RequestStore(core: core))
        async let settlement = core.settle(status: nil)
        await isReleasing.wait()
        core.send(.budgetSpent(core.scope, .beforeResponse), of: number)
        mayEnd.fire()
        #expect(await settlement.outcome.verdict == .commit)
        await core.close(.completed, status: nil)
    }

    @Test(
        "Rules 7 and 13: a hold limit that passes when the resource is released reports nothing, whoever has the store"
    )
    func holdLimitOfAnother() async throws {
        let reports = Lock(0)
        let core = RequestCore(StoreConfiguration(reporter: { _ in reports.withLock { $0 += 1 } }))
        let resource = RequestResource("resource") {
            1
        } release: { _, _ in
        }
        let position = SourcePosition(fileID: #fileID, line: #line)
        let acquired = try await core.acquire(resource.info, from: position)
        core.reportHold(of: acquired.entry, resource.info, position, .zero)
        #expect(reports.withLock { $0 } == 1)
        // As an opener does that has its store again: the pool gives the slot to nobody else.
        core.keepSlot()
        await core.close(.completed, status: nil)
        #expect(core.takeSlot())
        core.reportHold(of: acquired.entry, resource.info, position, .zero)
        #expect(core.forgetAll())
        _ = core.reopen()
        _ = try await core.acquire(resource.info, from: position)
        core.reportHold(of: acquired.entry, resource.info, position, .zero)
        #expect(reports.withLock { $0 } == 1)
        await core.close(.completed, status: nil)
    }

    @Test("Rule 22: a request that uses nothing sets no timer and leaves nothing to do")
    func unused() async throws {
        let core = RequestCore(.plain)
        #expect(core.effects(of: .settle(core.scope, success: true)).isEmpty)
        let effects = core.effects(of: .close(core.scope, success: true, completed: true))
        #expect(core.isClosed)
        // What is left is to give back the slot.
        #expect(effects.count == 1)
    }

    @Test("Rule 22: what does not suspend sets no timer")
    func noTimer() async throws {
        let resource = RequestResource("resource") {
            1
        } release: { _, _ in
        }
        let scope = StoreScope()
        _ = try await resource.get(in: scope.store)
        let deadlines = scope.store.core.request.state.withLock { $0.acquisitions.all.compactMap(\.deadline) }
        #expect(deadlines.isEmpty)
        await scope.close()
    }

    @Test(
        "Rules 13, 22: a release that blocks when a limit has passed does not hold up the limits of other stores",
        .timeLimit(.minutes(10))
    )
    func blockedLimit() async throws {
        let end = Barrier()
        let hanging = Signal()
        let current = Lock<RequestStore?>(nil)
        let blocking = RequestResource("blocking") {
            1
        } release: { _, _ in
            current.withLock { $0 = RequestStore.current }
            end.block()
        }
        let slow = RequestResource("slow", limits: .init(release: .milliseconds(10))) {
            2
        } release: { _, _ in
            await hanging.wait()
        }
        let never = RequestResource("never", limits: .init(acquire: .milliseconds(10))) {
            try await Signal().waitOrCancel()
        } release: { _, _ in
        }
        let first = StoreScope(core: RequestCore(StoreConfiguration(reporter: { _ in }, executor: ThreadExecutor())))
        _ = try await blocking.get(in: first.store)
        _ = try await slow.get(in: first.store)
        // When the limit of `slow` has passed, `blocking` is released. The limits of the others pass at the same time.
        let closing = Task.immediate { _ = await first.close() }
        let others = (0..<20).map { _ in
            Task.immediate {
                try await withRequestStore { _ in
                    #expect(await reason { try await never.get() }?.name == "acquireTimedOut")
                }
            }
        }
        for other in others { try await other.value }
        end.open()
        hanging.fire()
        await closing.value
        #expect(current.withLock { $0 } == first.store)
    }

    @Test("Rule 21: what is no longer held is not reported as held for too long")
    func holdLimit() async throws {
        let around = RequestResource<Int>.around("around", limits: .init(hold: .seconds(100))) { use in
            try await use(1)
        }
        let scope = StoreScope()
        let core = scope.store.core.request
        _ = try await around.get(in: scope.store)
        let acquisition = try #require(core.state.withLock { $0.acquisitions.all.first })
        #expect(acquisition.holdLimit != nil)
        try await around.release(.commit, in: scope.store)
        // Its record stays, so that it is not acquired again.
        core.limitHold(acquisition)
        #expect(core.state.withLock { $0.acquisitions[acquisition.entry] } === acquisition)
        #expect(acquisition.holdLimit == nil)
        await scope.close()
    }

    @Test("A deadline that is cancelled does not fire, and earlier ones fire first")
    func deadlines() async {
        let journal = Journal()
        let last = Signal()
        let deadlines = Deadlines()
        let cancelled = deadlines.schedule(after: .milliseconds(5)) { journal.note("cancelled") }
        _ = deadlines.schedule(after: .milliseconds(30)) {
            journal.note("late")
            last.fire()
        }
        _ = deadlines.schedule(after: .milliseconds(10)) { journal.note("early") }
        deadlines.cancel(cancelled)
        deadlines.cancel(cancelled)
        await last.wait()
        #expect(journal.entries == ["early", "late"])
    }

    @Test("Many requests at once: no value and no resource of another request is ever seen")
    func noCrossTalk() async throws {
        let owner = RequestLocal<Int?>("owner")
        let observer = CountingObserver()
        let resource = RequestResource("resource") {
            if Bool.random() { await Task.yield() }
            return owner.value ?? -1
        } release: { value, _ in
            if Bool.random() { await Task.yield() }
            #expect(owner.value == value)
        }
        try await withThrowingTaskGroup { group in
            for number in 0..<1_000 {
                group.addTask {
                    try await withRequestStore(observers: [observer]) { _ in
                        try owner.set(number)
                        await Task.yield()
                        try await withThrowingTaskGroup { children in
                            for _ in 0..<4 {
                                children.addTask {
                                    if Bool.random() { await Task.yield() }
                                    let value = try await resource.get()
                                    #expect(value == number)
                                    #expect(owner.value == number)
                                }
                            }
                            try await children.waitForAll()
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(observer.counts == .init(opened: 1_000, closed: 1_000, acquired: 1_000, released: 1_000))
    }
}
