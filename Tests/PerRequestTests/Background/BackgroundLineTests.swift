import Synchronization
import Testing

@testable import PerRequest

@Suite("The jobs of one request are one line, whoever runs them (rule 20)", .timeLimit(.minutes(10)))
struct BackgroundLineTests {
    /// Who runs the jobs of a request.
    enum Owner: CaseIterable {
        case opener
        case work

        /// Serves one request, and returns when its jobs are done.
        func serve(_ body: @Sendable (RequestStore) async throws -> Void) async throws {
            switch self {
            case .opener: try await withRequestStore(id: "r") { store in try await body(store) }
            case .work:
                // However long they take on a busy machine.
                let work = BackgroundWork(limits: .init(admitted: 1_000_000, drain: .seconds(3_600)))
                try await running(work) {
                    let scope = StoreScope(id: "r", report: { _ in }, background: work)
                    do {
                        try await scope.run { try await body(scope.store) }
                    } catch {
                        scope.fail(error)
                    }
                    await scope.close()
                }
            }
        }
    }

    @Test("they run one after another, in the order of registration", arguments: Owner.allCases)
    func order(_ owner: Owner) async throws {
        let journal = Journal()
        try await owner.serve { _ in
            for number in 1...50 {
                try RequestStore.afterResponse("\(number)") {
                    journal.note("begin \(number)")
                    for _ in 0..<number % 4 { await Task.yield() }
                    journal.note("end \(number)")
                }
            }
        }
        #expect(journal.entries == (1...50).flatMap { ["begin \($0)", "end \($0)"] })
    }

    @Test(
        "what a job registers goes to the end of the line, also from a child store of the job",
        arguments: Owner.allCases
    )
    func jobsOfJobs(_ owner: Owner) async throws {
        let journal = Journal()
        @Sendable func leave(_ name: String, _ next: @escaping @Sendable () async throws -> Void = {}) throws {
            try RequestStore.afterResponse(name) {
                await Task.yield()
                journal.note("\(name) of \(RequestStore.current!.id)")
                try await next()
            }
        }
        try await owner.serve { _ in
            try leave("a") {
                try leave("a1") { try leave("a11") }
                try await withRequestStore(.child) { _ in try leave("a2") }
            }
            try leave("b") { try leave("b1") }
            try leave("c")
        }
        #expect(journal.entries == ["a", "b", "c", "a1", "a2", "b1", "a11"].map { "\($0) of r/\($0)" })
    }

    @Test(
        "those of children are in the order in which they were registered, whichever store closed first",
        arguments: Owner.allCases
    )
    func children(_ owner: Owner) async throws {
        let journal = Journal()
        try await owner.serve { root in
            @Sendable func leave(_ name: String, in store: RequestStore) throws {
                try store.afterResponse(name) { journal.note(name) }
            }
            try leave("1", in: root)
            try await withRequestStore(.child) { child in
                try leave("2", in: child)
                try await withRequestStore(.child) { grandchild in
                    try leave("3", in: grandchild)
                    try leave("4", in: root)
                    try leave("5", in: child)
                }
                try? await withRequestStore(.child) { failing in
                    try leave("never", in: failing)
                    throw TestError()
                }
                try leave("6", in: root)
                try leave("7", in: child)
            }
            try leave("8", in: root)
        }
        #expect(journal.entries == (1...8).map(String.init))
    }

    @Test(
        "one that fails, or cancels its own task, keeps none from running, and has its own verdict",
        arguments: Owner.allCases
    )
    func failures(_ owner: Owner) async throws {
        let journal = Journal()
        let resource = noting("resource", in: journal)
        try await owner.serve { _ in
            try RequestStore.afterResponse("throws") {
                _ = try await resource.get()
                throw TestError()
            }
            try RequestStore.afterResponse("throws a CancellationError") { throw CancellationError() }
            try RequestStore.afterResponse("cancels itself") {
                withUnsafeCurrentTask { $0?.cancel() }
                try Task.checkCancellation()
            }
            try RequestStore.afterResponse("next") {
                _ = try await resource.get()
                journal.note("next, \(Task.isCancelled)")
            }
        }
        #expect(
            journal.entries == [
                "acquire resource", "release resource: rollback",
                "acquire resource", "next, false", "release resource: commit",
            ]
        )
    }

    @Test(
        "one whose release overruns does not hold up the line, and what it left runs when that has ended",
        arguments: Owner.allCases
    )
    func overrun(_ owner: Owner) async throws {
        let journal = Journal()
        let (mayEnd, isDone) = (Signal(), Signal())
        let limits = ResourceLimits(release: .milliseconds(20))
        let stuck = RequestResource("stuck", limits: limits) {
            1
        } release: { _, _ in
            await mayEnd.wait()
        }
        try await owner.serve { _ in
            try RequestStore.afterResponse("overruns") {
                _ = try await stuck.get()
                try RequestStore.afterResponse("late", .always) {
                    journal.note("late of \(RequestStore.current!.id)")
                    isDone.fire()
                }
            }
            try RequestStore.afterResponse("next") {
                journal.note("next")
                // The opener leaves when this is done.
                if owner == .work { mayEnd.fire() }
            }
        }
        mayEnd.fire()
        await isDone.wait()
        #expect(journal.entries == ["next", "late of r/late"])
    }

    @Test("a job's store is settled first, in the time of that point")
    func settles() async throws {
        let journal = Journal()
        let mayEnd = Signal()
        let resource = noting("resource", in: journal)
        let stuck = RequestResource("stuck", released: .beforeResponse) {
        } release: { _, _ in
            await mayEnd.wait()
        }
        let work = BackgroundWork()
        try await running(work) {
            let limits = RequestLimits(beforeResponse: .milliseconds(1))
            let scope = StoreScope(
                limits: limits,
                report: { report in
                    if case .pointOverran(.beforeResponse, _, _) = report.kind { journal.note("overran") }
                    mayEnd.fire()
                },
                background: work
            )
            try scope.store.afterResponse("overruns") {
                _ = try await resource.get()
                try await stuck.get()
            }
            await scope.close()
        }
        #expect(journal.entries == ["acquire resource", "overran", "release resource: rollback"])
    }

    @Test(
        "a chain of 100,000 jobs, each of which registers the next, ends and keeps nothing of those before",
        arguments: Owner.allCases
    )
    func chain(_ owner: Owner) async throws {
        let count = 100_000
        let (ran, gone) = (Counter(), Counter())
        let mostAlive = Lock(0)
        @Sendable func leave() throws {
            let tracked = Tracked { gone.next() }
            try RequestStore.afterResponse("next") {
                try withExtendedLifetime(tracked) {
                    let number = ran.next()
                    mostAlive.withLock { $0 = max($0, number - gone.count) }
                    if RequestStore.current?.id != "r/next" { throw TestError("the id grows") }
                    if number < count { try leave() }
                }
            }
        }
        // A thread whose stack has no place for a recursion of this depth.
        let executor = ThreadExecutor(stackSize: 512 << 10)
        try await Task(executorPreference: executor) { try await owner.serve { _ in try leave() } }.value
        #expect(ran.count == count)
        #expect(mostAlive.withLock { $0 } < 100)
    }

    @Test(
        "100,000 jobs of one request run, or are given up after a rollback, in no more time each",
        arguments: Owner.allCases
    )
    func many(_ owner: Owner) async throws {
        let ran = Counter()
        let isInOrder = Lock(true)
        try await owner.serve { store in
            for number in 1...100_000 {
                try store.afterResponse("job") {
                    let isNext = ran.next() == number
                    isInOrder.withLock { $0 = $0 && isNext }
                }
            }
        }
        #expect(ran.count == 100_000 && isInOrder.withLock { $0 })
        try? await owner.serve { store in
            for _ in 1...100_000 { try store.afterResponse("job") { ran.next() } }
            throw TestError()
        }
        #expect(ran.count == 100_000)
    }

    // MARK: - Requests beside each other

    @Test("those of different requests run side by side")
    func sideBySide() async throws {
        let work = BackgroundWork(limits: .init(concurrent: 2))
        let (first, second) = (Signal(), Signal())
        try await running(work) {
            for (mine, other) in [(first, second), (second, first)] {
                let scope = StoreScope(background: work)
                // Neither ends before the other has started.
                try scope.store.afterResponse("job") {
                    mine.fire()
                    await other.wait()
                }
                await scope.close()
            }
        }
    }

    @Test("a request takes one place, and each has its turn, however many jobs another has left")
    func turns() async throws {
        let work = BackgroundWork(limits: .init(concurrent: 2))
        let journal = Journal()
        let mayGoOn = Signal()
        try await running(work) {
            func leave(_ names: [String], _ body: @escaping @Sendable () async -> Void = {}) async throws {
                let scope = StoreScope(background: work)
                for name in names {
                    try scope.store.afterResponse(name) {
                        await body()
                        journal.note(name)
                    }
                }
                await scope.close()
            }
            // Both places are taken, although the first request has three jobs.
            try await leave(["x", "x", "x"]) { await mayGoOn.wait() }
            while work.counts.running < 1 { await Task.yield() }
            let block = Signal()
            try await leave(["y"]) { await block.wait() }
            while work.counts.running < 2 { await Task.yield() }
            try await leave(["a1", "a2", "a3"])
            try await leave(["b1"])
            #expect(work.counts == BackgroundWork.Counts(waiting: 6, running: 2))
            mayGoOn.fire()
            while journal.entries.count < 7 { await Task.yield() }
            block.fire()
        }
        #expect(journal.entries == ["x", "a1", "b1", "x", "a2", "x", "a3", "y"])
    }
}
