import Synchronization
import Testing

@testable import PerRequest

/// Runs jobs one by one, when it is told to.
private final class HeldExecutor: SerialExecutor {
    private let jobs = Lock<[UnownedJob]>([])

    var count: Int { jobs.withLock { $0.count } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
    }

    func runOne() {
        let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        if let job { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) }
    }
}

private actor Held {
    private let executor: HeldExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ executor: HeldExecutor) { self.executor = executor }

    func use(_ key: RequestResource<Int>, exclusively: Bool, in store: RequestStore) async -> String? {
        await reasonIfAny {
            if exclusively {
                try await key.useExclusively(in: store) { _ in _ = Issue.record("used after its end") }
            } else {
                try await key.use(in: store) { _ in _ = Issue.record("used after its end") }
            }
        }?.name
    }
}

@Suite("Lost means lost (rule 17)", .timeLimit(.minutes(10)))
struct LostTests {
    @Test(
        "Rule 17: a body that was given the value and has not begun does not begin",
        arguments: [false, true],
        [false, true]
    )
    func givenNotBegun(exclusively: Bool, closes: Bool) async throws {
        let (arrive, lose) = (Signal(), Signal())
        let transaction = losable(lose: lose) { await arrive.wait() }
        let executor = HeldExecutor()
        let held = Held(executor)
        let scope = StoreScope(report: { _ in })
        let store = scope.store
        let caller = Task { await held.use(transaction, exclusively: exclusively, in: store) }
        await until { executor.count == 1 }
        executor.runOne()
        arrive.fire()
        // Its executor is busy.
        await until { executor.count == 1 }
        lose.fire()
        await until { transaction.valueIfHeld(in: store) == nil }
        if closes {
            await scope.close()
            #expect(store.isClosed)
        }
        executor.runOne()
        #expect(await caller.value == "resourceLost")
        await scope.close()
        await until { store.isClosed && store.core.request.state.withLock { $0.lifecycle.calls.count == 0 } }
    }

    @Test(
        "Rule 17: a turn that was passed to a body that has not begun is lost with the value",
        arguments: [false, true]
    )
    func turnNotBegun(closes: Bool) async throws {
        let (begun, end, lose) = (Signal(), Signal(), Signal())
        let transaction = losable(lose: lose)
        let executor = HeldExecutor()
        let held = Held(executor)
        let scope = StoreScope(report: { _ in })
        let store = scope.store
        let first = Task {
            try await transaction.useExclusively(in: store) { _ in
                begun.fire()
                await end.wait()
            }
        }
        await begun.wait()
        let second = Task { await held.use(transaction, exclusively: true, in: store) }
        await until { executor.count == 1 }
        executor.runOne()
        await until { store.waiters == 1 }
        end.fire()
        try await first.value
        await until { executor.count == 1 }
        lose.fire()
        await until { transaction.valueIfHeld(in: store) == nil }
        if closes { await scope.close() }
        executor.runOne()
        #expect(await second.value == "resourceLost")
        await scope.close()
        await until { store.isClosed && store.core.request.state.withLock { $0.lifecycle.calls.count == 0 } }
    }

    @Test("Rule 17: all who wait for a turn, an early release or the value are told, while a body still runs")
    func waiters() async throws {
        let (begun, end, lose) = (Signal(), Signal(), Signal())
        let journal = Journal()
        let base = noting("base", in: journal)
        let transaction = losable(on: base, lose: lose)
        let scope = StoreScope(report: { _ in })
        let store = scope.store
        let body = Task {
            try await transaction.useExclusively(in: store) { _ in
                begun.fire()
                await end.wait()
            }
        }
        await begun.wait()
        let turns = (0..<3).map { _ in
            Task {
                await reason { try await transaction.useExclusively(in: store) { _ in _ = Issue.record("?") } }?.name
            }
        }
        await until { store.waiters == 3 }
        let releases = (0..<2).map { number in
            Task {
                await reason {
                    if number == 0 { return try await transaction.release(.commit, in: store) }
                    try await base.release(.commit, in: store)
                }?.name
            }
        }
        await until { store.waiters == 5 }
        lose.fire()
        for task in turns + releases { #expect(await task.value == "resourceLost") }
        #expect(await reason { try await transaction.get(in: store) }?.name == "resourceLost")
        #expect(await reason { try await transaction.use(in: store) { _ in } }?.name == "resourceLost")
        #expect(await reason { try await transaction.useExclusively(in: store) { _ in } }?.name == "resourceLost")
        // What it was built on was released for who asked for that.
        #expect(journal.entries == ["acquire base", "release base: commit"])
        end.fire()
        try await body.value
        await scope.close()
        #expect(store.isClosed)
    }

    @Test("Rule 17: a flight that was given a value that is lost fails, or holds it no longer than that")
    func inFlight() async throws {
        let (begun, end, lose) = (Signal(), Signal(), Signal())
        let transaction = losable(released: .beforeResponse, lose: lose)
        let built = RequestResource("built", released: .beforeResponse) {
            _ = try await transaction.get()
            begun.fire()
            await end.wait()
            return try await transaction.get()
        } release: { _, _ in
        }
        let scope = StoreScope(report: { _ in })
        let caller = Task { await reason { try await built.get(in: scope.store) }?.name }
        await begun.wait()
        lose.fire()
        await until { transaction.valueIfHeld(in: scope.store) == nil }
        end.fire()
        #expect(await caller.value == "resourceLost")
        #expect(await scope.settle(status: .http(200)).replacement == .http(500))
        await scope.close()
    }

    @Test("Rule 17: losing races with everything that can be done with a resource, a thousand times")
    func racing() async throws {
        let observer = CountingObserver()
        for round in 0..<(isThreadSanitized ? 100 : 1_000) {
            let lose = Signal()
            let transaction = RequestResource<Int>.around("transaction") { use in
                await pause()
                return try await withThrowingTaskGroup { group in
                    group.addTask { try await use(1) }
                    group.addTask {
                        try await lose.waitOrCancel()
                        await pause()
                        throw TestError("connection lost")
                    }
                    defer { group.cancelAll() }
                    return try await group.next()!
                }
            }
            let scope = StoreScope(observers: [observer], report: { _ in })
            let store = scope.store
            let answered = Counter()
            let callers = (0..<8).map { number in
                Task {
                    await pause()
                    _ = await reasonIfAny {
                        switch number {
                        case 0, 1, 2:
                            try await transaction.useExclusively(in: store) { _ in await pause() }
                        case 3, 4:
                            try await transaction.use(in: store) { _ in await pause() }
                        case 5:
                            _ = try await transaction.get(in: store)
                        case 6:
                            try await transaction.release(.commit, in: store)
                        default:
                            try await scope.run {
                                try await withRequestStore(.child(owning: transaction)) { _ in
                                    try await transaction.useExclusively { _ in await pause() }
                                }
                            }
                        }
                    }
                    answered.next()
                }
            }
            await pause()
            lose.fire()
            await pause()
            if round.isMultiple(of: 3) { await scope.settle(status: .http(200)) }
            await pause()
            if round.isMultiple(of: 2) { for caller in callers { await caller.value } }
            await scope.close()
            for caller in callers { await caller.value }
            #expect(answered.count == 8)
            await until { store.isClosed && store.core.request.state.withLock { $0.lifecycle.calls.count == 0 } }
            #expect(store.waiters == 0)
        }
        await observer.untilBalanced()
    }
}
