import PerRequest
import Synchronization
import Testing

@Suite("Acquiring (rules 9 and 10)")
struct AcquireTests {
    @Test("Rule 9: one flight for all callers of a resource, and one release")
    func singleFlight() async throws {
        let journal = Journal()
        let go = Signal()
        let resource = RequestResource("resource") {
            journal.note("acquire")
            await go.wait()
            return Int.random(in: 0..<1_000_000)
        } release: { _, _ in
            journal.note("release")
        }
        try await withRequestStore { _ in
            let values = try await withThrowingTaskGroup { group in
                for _ in 0..<8 { group.addTask { try await resource.get() } }
                go.fire()
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(values.count == 1)
            #expect(try await resource.get() == values.first)
        }
        #expect(journal.entries == ["acquire", "release"])
    }

    private protocol Database: Sendable {
        var name: String { get }
    }

    private struct Postgres: Database {
        let name = "postgres"
        let number: Int
    }

    @Test("A key for an existential is acquired and released as its concrete type")
    func existential() async throws {
        let journal = Journal()
        let database = RequestResource<any Database>("database", as: { $0 }) {
            Postgres(number: 7)
        } release: { database, _ in
            journal.note("\(database.name) \(database.number)")
        }
        try await withRequestStore { _ in
            let name = try await database.get().name
            #expect(name == "postgres")
        }
        #expect(journal.entries == ["postgres 7"])
    }

    @Test("Two stores have their own")
    func perStore() async throws {
        let lastLease = Counter()
        let resource = RequestResource("resource") {
            lastLease.next()
        } release: { _, _ in
        }
        let first = try await withRequestStore { _ in try await resource.get() }
        let second = try await withRequestStore { _ in try await resource.get() }
        #expect(first != second)
    }

    @Test("Rule 9: a cancelled caller ends its own wait; the others get the value")
    func cancelledWaiter() async throws {
        let journal = Journal()
        let started = Signal()
        let go = Signal()
        let resource = RequestResource("resource") {
            started.fire()
            try await go.waitOrCancel()
            return 7
        } release: { value, _ in
            journal.note("release \(value)")
        }
        try await withRequestStore { _ in
            // The first caller starts the flight and is cancelled, then one that joined; the last gets the value.
            let first = Task { try await resource.get() }
            await started.wait()
            let second = Task { try await resource.get() }
            let third = Task { try await resource.get() }
            first.cancel()
            second.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            await #expect(throws: CancellationError.self) { try await second.value }
            go.fire()
            let value = try await third.value
            #expect(value == 7)
        }
        #expect(journal.entries == ["release 7"])
    }

    @Test("Rule 9: with every waiter cancelled the flight goes on, and its value is there for the next")
    func nobodyWaits() async throws {
        let started = Signal()
        let go = Signal()
        let flights = Counter()
        let resource = RequestResource("resource") {
            flights.next()
            started.fire()
            try await go.waitOrCancel()
            return 7
        } release: { _, _ in
        }
        try await withRequestStore { _ in
            let first = Task { try await resource.get() }
            await started.wait()
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            go.fire()
            let value = try await resource.get()
            #expect(value == 7)
        }
        #expect(flights.count == 1)
    }

    @Test("Rule 9: a caller that is cancelled already starts nothing, and reads what is held")
    func cancelledCaller() async throws {
        let journal = Journal()
        let resource = noting("resource", in: journal)
        try await withRequestStore { _ in
            await Task {
                withUnsafeCurrentTask { unsafe $0?.cancel() }
                await #expect(throws: CancellationError.self) { try await resource.get() }
            }.value
            #expect(journal.entries == [])
            _ = try await resource.get()
            await Task {
                withUnsafeCurrentTask { unsafe $0?.cancel() }
                let value = try? await resource.get()
                #expect(value == "resource")
            }.value
        }
    }

    @Test("Rule 9: a failure goes to all that wait, and is not kept")
    func failure() async throws {
        let attempts = Counter()
        let go = Signal()
        let journal = Journal()
        let resource = RequestResource("resource") {
            let attempt = attempts.next()
            if attempt == 1 {
                await go.wait()
                throw TestError("first")
            }
            return attempt
        } release: { value, _ in
            journal.note("release \(value)")
        }
        try await withRequestStore { _ in
            let waiters = (0..<4).map { _ in Task.immediate { try await resource.get() } }
            go.fire()
            for waiter in waiters { await #expect(throws: TestError("first")) { try await waiter.value } }
            let value = try await resource.get()
            #expect(value == 2)
        }
        #expect(journal.entries == ["release 2"])
    }

    @Test("Rule 9: a flight that exceeds its limit is cancelled, and its callers are told the limit")
    func limit() async throws {
        let cancelled = Signal()
        let attempts = Counter()
        let never = Signal()
        let resource = RequestResource("resource", limits: .init(acquire: .milliseconds(20))) {
            guard attempts.next() == 1 else { return 2 }
            do {
                try await never.waitOrCancel()
            } catch {
                cancelled.fire()
                throw error
            }
            return 1
        } release: { _, _ in
        }
        try await withRequestStore { _ in
            let reason = try #require(await reason { try await resource.get() })
            #expect("\(reason)" == "acquireTimedOut(0.02 seconds)")
            await cancelled.wait()
            // The flight ends now; until it has, the next caller is told so.
            while true {
                do {
                    let value = try await resource.get()
                    #expect(value == 2)
                    break
                } catch let error as RequestStoreError {
                    #expect(error.reason.name == "stillEnding")
                    await Task.yield()
                }
            }
        }
    }

    @Test("Rule 10: resources are released in the reverse order of their publishing, not of their first use")
    func order() async throws {
        let journal = Journal()
        let slowGo = Signal()
        let slow = RequestResource("slow") {
            await slowGo.wait()
            return "slow"
        } release: { _, _ in
            journal.note("release slow")
        }
        let fast = noting("fast", in: journal)
        try await withRequestStore { _ in
            let first = Task.immediate { try await slow.get() }
            _ = try await fast.get()
            slowGo.fire()
            _ = try await first.value
        }
        #expect(journal.entries == ["acquire fast", "release slow", "release fast: commit"])
    }

    @Test("Rule 10: a value that arrives after its point began is released at once, and nobody gets it")
    func lateValue() async throws {
        let journal = Journal()
        let cancelled = Signal()
        let go = Signal()
        let late = RequestResource("late", released: .beforeResponse) {
            // A factory that notices the cancellation and delivers all the same.
            try? await Signal().waitOrCancel()
            cancelled.fire()
            await go.wait()
            return "late"
        } release: { _, outcome in
            journal.note("release late: \(outcome.verdict)")
        }
        let held = noting("held", in: journal, released: .beforeResponse)
        let scope = StoreScope()
        _ = try await held.get(in: scope.store)
        let waiter = Task.immediate { try await late.get(in: scope.store) }
        async let settlement = scope.settle(status: .http(200))
        let refused = await reason { try await waiter.value }
        #expect("\(try #require(refused))" == "releasePointBegan(PerRequest.ReleasePoint.beforeResponse)")
        await cancelled.wait()
        #expect(journal.entries == ["acquire held"], "no release runs before the flights of the point have ended")
        go.fire()
        #expect(await settlement.failure == nil)
        #expect(journal.entries == ["acquire held", "release late: rollback", "release held: commit"])
        await scope.close()
    }

    @Test(
        "Rules 6, 10, 13: a value that arrives long after the close is released at once, and only then the store is empty"
    )
    func muchTooLate() async throws {
        let go = Signal()
        let reports = Reports()
        let released = Signal()
        let late = RequestResource("late", limits: .init(release: .milliseconds(20))) {
            await go.wait()
            return "late"
        } release: { _, outcome in
            #expect(outcome.verdict == .rollback)
            released.fire()
        }
        let observer = CountingObserver()
        let scope = StoreScope(observers: [observer], report: reports.take)
        let waiter = Task.immediate { try await late.get(in: scope.store) }
        await scope.close()
        #expect(!scope.store.isClosed, "the opener went on, and what is overdue still counts")
        #expect(reports.all.map { "\($0.kind)".prefix(13) } == ["flightOverran"])
        _ = await reason { try await waiter.value }
        #expect(observer.counts == .init(opened: 1, closed: 0, acquired: 0, released: 0))
        go.fire()
        await released.wait()
        // The observer is told after the lock is left: where nobody waits for the close, a little later.
        await observer.untilBalanced()
        #expect(scope.store.isClosed)
        #expect(observer.counts == .init(opened: 1, closed: 1, acquired: 1, released: 1))
    }

    @Test("Rule 10: acquiring that races with the close loses nothing, a thousand times")
    func closeRace() async throws {
        let observer = CountingObserver()
        let resource = RequestResource("resource") {
            if Bool.random() { await Task.yield() }
            return 1
        } release: { _, _ in
            if Bool.random() { await Task.yield() }
        }
        let got = Counter()
        for _ in 0..<1_000 {
            let scope = StoreScope(observers: [observer], report: { Issue.record("\($0)") })
            await withTaskGroup { group in
                for _ in 0..<3 {
                    group.addTask {
                        if Bool.random() { await Task.yield() }
                        do {
                            _ = try await resource.get(in: scope.store)
                            got.next()
                        } catch let error as RequestStoreError {
                            #expect(["releasePointBegan", "requestEnded", "released"].contains(error.reason.name))
                        } catch {
                            Issue.record(error)
                        }
                    }
                }
                group.addTask { _ = await scope.close() }
            }
        }
        #expect(observer.counts.closed == 1_000)
        #expect(observer.counts.acquired == observer.counts.released)
        #expect(got.count >= observer.counts.acquired - 1_000)
    }

    @Test("Rule 9: cancelled and failing callers at random get exactly one answer each, a thousand times")
    func waiterRace() async throws {
        let observer = CountingObserver()
        let resource = RequestResource("resource") {
            await Task.yield()
            if Int.random(in: 0..<4) == 0 { throw TestError() }
            return 1
        } release: { _, _ in
        }
        let answers = Counter()
        for _ in 0..<1_000 {
            try await withRequestStore(observers: [observer]) { _ in
                let tasks = (0..<5).map { _ in
                    Task {
                        _ = try? await resource.get()
                        answers.next()
                    }
                }
                tasks.randomElement()?.cancel()
                for task in tasks { await task.value }
            }
        }
        #expect(answers.count == 5_000)
        #expect(observer.counts.acquired == observer.counts.released)
    }
}
