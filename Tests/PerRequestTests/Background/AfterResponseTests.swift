import Synchronization
import Testing

@testable import PerRequest

@Suite("Work after the response (rule 20)", .timeLimit(.minutes(10)))
struct AfterResponseTests {
    private static let user = RequestLocal<String?>("user")
    private static let body = RequestLocal<String?>("body", carried: false)
    private static let trace = RequestLocal("trace", initial: { Int.random(in: 0...Int.max) })

    @Test("it starts when the store has closed, in registration order")
    func order() async throws {
        let work = BackgroundWork()
        let journal = Journal()
        let resource = noting("resource", in: journal)
        try await running(work) {
            let scope = StoreScope(background: work)
            try await scope.run {
                for number in 1...3 { try RequestStore.afterResponse("\(number)") { journal.note("job \(number)") } }
                _ = try await resource.get()
                await scope.settle()
            }
            #expect(journal.entries == ["acquire resource"])
            #expect(work.counts == BackgroundWork.Counts(reserved: 3))
            await scope.close()
        }
        #expect(journal.entries == ["acquire resource", "release resource: commit", "job 1", "job 2", "job 3"])
        #expect(work.counts == BackgroundWork.Counts())
    }

    @Test("closing does not wait for it")
    func closeDoesNotWait() async throws {
        let work = BackgroundWork()
        let gate = Signal()
        try await running(work) {
            let scope = StoreScope(background: work)
            try await scope.run { try RequestStore.afterResponse("slow") { await gate.wait() } }
            await scope.close()
            #expect(scope.store.isClosed)
            gate.fire()
        }
    }

    @Test("withRequestStore(background:) does not wait for it, after success and after failure, nor does a child in it")
    func openerDoesNotWait() async throws {
        let work = BackgroundWork()
        let journal = Journal()
        let gate = Signal()
        try await running(work) {
            let answer = try await withRequestStore(background: work) { _ in
                try RequestStore.afterResponse("first") {
                    await gate.wait()
                    journal.note("first")
                }
                try await withRequestStore(.child) { _ in
                    try RequestStore.afterResponse("child's") { journal.note("child's") }
                }
                return "answered"
            }
            journal.note(answer)
            await #expect(throws: TestError.self) {
                try await withRequestStore(background: work) { _ in
                    try RequestStore.afterResponse("undone") { journal.note("undone") }
                    throw TestError()
                }
            }
            journal.note("failed")
            gate.fire()
        }
        #expect(journal.entries == ["answered", "failed", "first", "child's"])
        #expect(work.counts == BackgroundWork.Counts())
    }

    @Test("withRequestStore(background:) refuses it where nobody runs it")
    func openersWorkNotRunning() async throws {
        await #expect(throws: RequestStoreError.self) {
            try await withRequestStore(background: BackgroundWork()) { _ in
                try RequestStore.afterResponse("job") {}
            }
        }
    }

    @Test(
        "it gets the values as they were at the close, but for those that are not carried, and what it sets is its own"
    )
    func values() async throws {
        let work = BackgroundWork()
        let journal = Journal()
        let trace = Lock(0)
        try await running(work) {
            let scope = StoreScope(id: "7", background: work)
            try await scope.run {
                try Self.body.set("secret")
                try RequestStore.afterResponse("job") {
                    journal.note("\(Self.user.value ?? "-") \(Self.body.value ?? "-") \(RequestStore.current!.id)")
                    trace.withLock { $0 = Self.trace.value - $0 }
                    try Self.user.set("job's")
                    journal.note(Self.user.value!)
                }
                try Self.user.set("set later")
                trace.withLock { $0 = Self.trace.value }
            }
            await scope.close()
        }
        #expect(journal.entries == ["set later - 7/job", "job's"])
        #expect(trace.withLock { $0 } == 0)
    }

    @Test("it has its own resources and its own verdict")
    func verdict() async throws {
        let work = BackgroundWork(limits: .init(concurrent: 1))
        let journal = Journal()
        let resource = noting("resource", in: journal)
        let reports = Journal()
        try await running(work) {
            let scope = StoreScope(id: "9", report: { reports.note("\($0)") }, background: work)
            try await scope.run {
                _ = try await resource.get()
                try RequestStore.afterResponse("good") { _ = try await resource.get() }
                try RequestStore.afterResponse("bad") {
                    _ = try await resource.get()
                    throw TestError("oh")
                }
            }
            await scope.close()
        }
        let pair = { (verdict: String) in ["acquire resource", "release resource: \(verdict)"] }
        #expect(journal.entries == pair("commit") + pair("commit") + pair("rollback"))
        #expect(
            reports.entries == [
                #"request 9: the job "bad" failed, after a response that it does not affect, and is not run again: TestError(name: "oh") [jobFailed]"#
            ]
        )
    }

    @Test("nothing runs after a rollback, unless it is marked; its place is free again")
    func rollback() async throws {
        let work = BackgroundWork(limits: .init(admitted: 2))
        let journal = Journal()
        try await running(work) {
            for _ in 1...3 {
                let scope = StoreScope(background: work)
                try await scope.run {
                    try RequestStore.afterResponse("mail") { journal.note("mail") }
                    try RequestStore.afterResponse("audit", .always) { journal.note("audit") }
                }
                scope.fail(TestError())
                await scope.close()
                while work.counts != BackgroundWork.Counts() { await Task.yield() }
            }
        }
        #expect(journal.entries == ["audit", "audit", "audit"])
    }

    @Test("a commit that fails, a status of 500 and an abandoned request are rollbacks")
    func otherRollbacks() async throws {
        let work = BackgroundWork()
        let journal = Journal()
        let failing = RequestResource("failing", released: .beforeResponse) {
            1
        } release: { _, _ in
            throw TestError()
        }
        try await running(work) {
            let first = StoreScope(report: { _ in }, background: work)
            try await first.run {
                try RequestStore.afterResponse("mail") { journal.note("mail") }
                _ = try await failing.get()
                await first.settle(status: .http(200))
            }
            await first.close()
            let second = StoreScope(background: work)
            try await second.run { try RequestStore.afterResponse("mail") { journal.note("mail") } }
            await second.settle(status: .http(500))
            await second.close()
            try await StoreScope(report: { _ in }, background: work).run {
                try RequestStore.afterResponse("mail") { journal.note("mail") }
            }
        }
        #expect(journal.entries == [])
    }

    @Test("registering throws outside a request, in a private store, after the request, and where nobody runs it")
    func refusals() async throws {
        #expect(await reason { try RequestStore.afterResponse("x") {} }?.name == "outsideRequest")
        #expect(await reason { try requestStore().afterResponse("x") {} }?.name == "privateStore")
        let scope = StoreScope()
        #expect(await reason { try scope.store.afterResponse("x") {} }?.name == "noBackgroundWork")
        await scope.close()
        let work = BackgroundWork()
        #expect(
            await reason { try StoreScope(report: { _ in }, background: work).store.afterResponse("x") {} }?.name
                == "backgroundWorkNotRunning"
        )
        try await running(work) {
            let closed = StoreScope(background: work)
            await closed.close()
            #expect(await reason { try closed.store.afterResponse("x") {} }?.name == "requestEnded")
        }
        let late = StoreScope(background: work)
        #expect(await reason { try late.store.afterResponse("x") {} }?.name == "backgroundWorkNotRunning")
        await late.close()
    }

    @Test("beyond the limit it is refused when it is registered")
    func full() async throws {
        let work = BackgroundWork(limits: .init(admitted: 2))
        try await running(work) {
            let scope = StoreScope(id: "5", background: work)
            for _ in 1...2 { try scope.store.afterResponse("x") {} }
            let error = #expect(throws: RequestStoreError.self) { try scope.store.afterResponse("mail") {} }
            #expect(error?.reason.name == "backgroundWorkFull")
            #expect(
                error.map { "\($0)" }?.hasPrefix(#"request 5: "mail": as many jobs wait as are admitted: 2."#) == true
            )
            await scope.close()
        }
    }

    @Test("a job may add jobs, also while the work drains; they run if the job succeeds")
    func jobsOfJobs() async throws {
        let work = BackgroundWork()
        let journal = Journal()
        let draining = Signal()
        try await running(work) {
            let scope = StoreScope(report: { _ in }, background: work)
            try await scope.run {
                try RequestStore.afterResponse("first") {
                    await draining.wait()
                    try RequestStore.afterResponse("second") {
                        journal.note("second of \(RequestStore.current!.id)")
                        try RequestStore.afterResponse("third") { journal.note("third") }
                    }
                }
                try RequestStore.afterResponse("failing") {
                    try RequestStore.afterResponse("never") { journal.note("never") }
                    throw TestError()
                }
            }
            await scope.close()
            work.shutDown()
            draining.fire()
        }
        #expect(journal.entries == ["second of \(journal.entries[0].dropFirst("second of ".count))", "third"])
        #expect(journal.entries[0].hasSuffix("/second") && !journal.entries[0].contains("first"))
    }

    @Test("at most so many run at a time, and all of 100 run")
    func concurrency() async throws {
        let work = BackgroundWork(limits: .init(concurrent: 4))
        let seen = Lock((now: 0, most: 0, all: 0))
        try await running(work) {
            for number in 1...100 {
                let scope = StoreScope(background: work)
                try await scope.run {
                    try RequestStore.afterResponse("\(number)") {
                        seen.withLock { state in
                            state.now += 1
                            state.most = max(state.most, state.now)
                            state.all += 1
                        }
                        await Task.yield()
                        seen.withLock { $0.now -= 1 }
                    }
                }
                await scope.close()
            }
        }
        #expect(seen.withLock { $0.all } == 100)
        #expect(seen.withLock { $0.most } <= 4)
    }

    @Test("what is not done when the time to drain has passed is cancelled, or given up, and reported by name")
    func cut() async throws {
        let work = BackgroundWork(limits: .init(concurrent: 1, drain: .milliseconds(50)))
        let reports = Journal()
        let never = Signal()
        try await running(work) {
            let scope = StoreScope(id: "3", report: { reports.note("\($0)") }, background: work)
            try await scope.run {
                try RequestStore.afterResponse("endless") { try await never.waitOrCancel() }
                try RequestStore.afterResponse("waiting") { Issue.record("it has no turn") }
            }
            await scope.close()
            // One whose request is not over has its place taken away.
            let open = StoreScope(id: "4", report: { reports.note("\($0)") }, background: work)
            try await open.run { try RequestStore.afterResponse("late") { Issue.record("it is too late") } }
            work.shutDown()
            while work.counts != BackgroundWork.Counts() { await Task.yield() }
            await open.close()
        }
        // What is cancelled is reported when it has ended, and what is given up meanwhile.
        #expect(
            reports.entries.map { String($0.prefix { $0 != "," }) }.sorted() == [
                #"request 3: the job "endless" was cut off"#,
                #"request 3: the job "waiting" was cut off"#,
                #"request 4: the job "late" was cut off"#,
            ]
        )
    }

    @Test("cancelling whoever runs the work cuts it off at once")
    func cancelled() async throws {
        let work = BackgroundWork()
        let reports = Journal()
        let (started, never) = (Signal(), Signal())
        let runner = Task { await work.runUntilShutdown() }
        await work.untilRunning()
        let scope = StoreScope(report: { reports.note("\($0)") }, background: work)
        try await scope.run {
            try RequestStore.afterResponse("endless") {
                started.fire()
                try await never.waitOrCancel()
            }
        }
        await scope.close()
        await started.wait()
        runner.cancel()
        await runner.value
        #expect(reports.entries.count == 1 && reports.entries[0].contains(#"the job "endless" was cut off"#))
    }

    @Test("shutting down before it was run, or twice, or running it twice, does no harm")
    func repeated() async throws {
        let work = BackgroundWork()
        work.shutDown()
        work.shutDown()
        await work.untilRunning()
        await work.runUntilShutdown()
        await work.runUntilShutdown()
    }

    @Test("withRequestStore runs its work before it returns, and what is marked also when it throws")
    func opener() async throws {
        let journal = Journal()
        try await withRequestStore { _ in
            try Self.user.set("me")
            try RequestStore.afterResponse("job") {
                journal.note("job of \(Self.user.value!)")
                try RequestStore.afterResponse("inner") { journal.note("inner") }
            }
            journal.note("body")
        }
        #expect(journal.entries == ["body", "job of me", "inner"])
        await #expect(throws: TestError.self) {
            try await withRequestStore { _ in
                try RequestStore.afterResponse("mail") { journal.note("mail") }
                try RequestStore.afterResponse("audit", .always) { journal.note("audit") }
                throw TestError()
            }
        }
        #expect(journal.entries == ["body", "job of me", "inner", "audit"])
    }

    @Test("withRequestStore runs its work in a cancelled task too, and it does not see the cancellation")
    func cancelledOpener() async throws {
        let journal = Journal()
        let task = Task {
            try await withRequestStore { _ in
                try RequestStore.afterResponse("job") { journal.note("job, \(Task.isCancelled)") }
                withUnsafeCurrentTask { $0?.cancel() }
            }
        }
        try await task.value
        #expect(journal.entries == ["job, false"])
    }

    @Test("withRequestStore does not return before its work, whichever thread ends the last release")
    func openerWaits() async throws {
        let resource = RequestResource("resource") {
            1
        } release: { _, _ in
            await Task.yield()
        }
        for number in 1...3_000 {
            let journal = Journal()
            try await withRequestStore { _ in
                _ = try await resource.get()
                try RequestStore.afterResponse("job") { journal.note("job") }
            }
            guard journal.entries == ["job"] else {
                Issue.record("round \(number): it had not run")
                return
            }
        }
    }

    @Test("a task that outlives a job is told the job's id, also when its store's memory serves others")
    func outlivedJob() async throws {
        for _ in 1...20 {
            let gate = Signal()
            let task = Lock<Task<(any Error)?, Never>?>(nil)
            var id = ""
            try await withRequestStore { store in
                id = store.id
                try RequestStore.afterResponse("mail") {
                    let outliving = Task {
                        await gate.wait()
                        do {
                            try Self.user.set("late")
                            return nil as (any Error)?
                        } catch {
                            return error
                        }
                    }
                    task.withLock { $0 = outliving }
                }
            }
            for _ in 1...3 {
                try await withRequestStore { _ in try RequestStore.afterResponse("other") { try Self.user.set("other") }
                }
            }
            gate.fire()
            let error = await task.withLock { $0 }?.value as? RequestStoreError
            #expect(error?.request == "\(id)/mail")
        }
    }

    @Test("nothing of a job is kept when it has run", arguments: [true, false])
    func nothingIsKept(opener: Bool) async throws {
        final class Thing: Sendable {}
        let work = BackgroundWork()
        weak var kept: Thing?
        try await running(work) {
            let thing = Thing()
            kept = thing
            try await withRequestStore(background: opener ? nil : work) { _ in
                try RequestStore.afterResponse("job") { [thing] in _ = thing }
            }
        }
        #expect(kept == nil)
    }

    @Test("a child leaves it to its parent if the child commits, with the values of the child")
    func child() async throws {
        let journal = Journal()
        try await withRequestStore { _ in
            try Self.user.set("parent's")
            try await withRequestStore(.child) { _ in
                try Self.user.set("child's")
                try RequestStore.afterResponse("job") { journal.note(Self.user.value!) }
            }
            await #expect(throws: TestError.self) {
                try await withRequestStore(.child) { _ in
                    try RequestStore.afterResponse("mail") { journal.note("mail") }
                    throw TestError()
                }
            }
            journal.note("body")
        }
        #expect(journal.entries == ["body", "child's"])
    }

    @Test("it keeps nothing of the request alive once it is done")
    func lifetime() async throws {
        let work = BackgroundWork()
        let gone = Signal()
        try await running(work) {
            let scope = StoreScope(background: work)
            let key = RequestLocal<Tracked?>("tracked")
            try await scope.run {
                try key.set(Tracked { gone.fire() })
                try RequestStore.afterResponse("job") { #expect(key.value != nil) }
            }
            await scope.close()
            await gone.wait()
        }
    }

    /// How a job ends.
    enum End: CaseIterable {
        case done, failed, rolledBack, givenUp, leftBehind, tooLate
    }

    @Test("Rule 8: what a job holds is let go under no lock, however the job ends", arguments: End.allCases)
    func lettingGo(_ end: End) async throws {
        let work = BackgroundWork(limits: .init(concurrent: 1, drain: .milliseconds(1), grace: .milliseconds(1)))
        let (gone, mayEnd) = (Signal(), Signal())
        let key = RequestLocal<Tracked?>("tracked")
        let late = StoreScope(report: { _ in }, background: work)
        try await running(work) {
            let scope = StoreScope(report: { _ in }, background: work)
            let used = end == .tooLate ? late : scope
            try await scope.run {
                if end == .givenUp { try RequestStore.afterResponse("before") { try await mayEnd.waitOrCancel() } }
            }
            try await used.run {
                // It asks for the lock when it goes.
                let held = Tracked { if work.counts.running >= 0 { gone.fire() } }
                try key.set(Tracked { _ = work.counts })
                try RequestStore.afterResponse("job") {
                    _ = held
                    switch end {
                    case .failed: throw TestError()
                    case .leftBehind: await mayEnd.wait()
                    default: break
                    }
                }
                if end == .rolledBack { used.fail(TestError()) }
            }
            await scope.close()
            if end == .done || end == .failed || end == .rolledBack { await gone.wait() }
        }
        await late.close()
        mayEnd.fire()
        await gone.wait()
    }
}
