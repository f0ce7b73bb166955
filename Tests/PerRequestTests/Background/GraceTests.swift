import Synchronization
import Testing

@testable import PerRequest

@Suite("A job that ignores its cancellation holds up no shutdown (rule 20)", .timeLimit(.minutes(10)))
struct GraceTests {
    @TaskLocal private static var runner = "none"

    /// Leaves one request's jobs with `work`.
    private func leave(
        _ names: [String],
        with work: BackgroundWork,
        _ reports: Journal,
        _ job: @escaping @Sendable (String) async throws -> Void
    ) async throws {
        let scope = StoreScope(id: "1", report: { reports.note("\($0)") }, background: work)
        for name in names { try scope.store.afterResponse(name) { try await job(name) } }
        await scope.close()
    }

    /// What a job was reported for: its name and what happened.
    private func short(_ reports: Journal) -> [String] {
        reports.entries.map { String($0.dropFirst("request 1: ".count).prefix { $0 != "," && $0 != ":" }) }
    }

    @Test(
        "who runs the work returns after the grace; the job is reported once, by name, and goes on",
        arguments: [true, false]
    )
    func ignored(_ isCancelled: Bool) async throws {
        let drain = isCancelled ? Duration.seconds(3_600) : .milliseconds(1)
        let work = BackgroundWork(limits: .init(drain: drain, grace: .milliseconds(20)))
        let (reports, journal) = (Journal(), Journal())
        let (started, mayEnd, isDone) = (Signal(), Signal(), Signal())
        let runner = Task { await work.runUntilShutdown() }
        await work.untilRunning()
        try await leave(["deaf", "next"], with: work, reports) { name in
            started.fire()
            await mayEnd.wait()
            journal.note("\(name), \(Task.isCancelled)")
            let scope = StoreScope.init(report: { _ in }, background: work)
            journal.note(await reason { try scope.store.afterResponse("more") {} }?.name ?? "-")
            await scope.close()
            journal.note(await reason { try RequestStore.afterResponse("more") {} }?.name ?? "-")
            isDone.fire()
            throw TestError("nobody hears of it")
        }
        await started.wait()
        if isCancelled { runner.cancel() } else { work.shutDown() }
        await runner.value
        let expected = ["next", "deaf"].map { #"the job "\#($0)" was cut off"# }
        #expect(short(reports) == expected)
        #expect(work.counts == BackgroundWork.Counts(running: 1))
        #expect(journal.entries == [])
        mayEnd.fire()
        await isDone.wait()
        while work.counts != BackgroundWork.Counts() { await Task.yield() }
        #expect(journal.entries == ["deaf, true", "backgroundWorkNotRunning", "backgroundWorkNotRunning"])
        #expect(short(reports) == expected)
    }

    @Test("within the grace, each ends as it does: cut off, failed, or done")
    func ends() async throws {
        // The test ends in time only if the grace is not waited for.
        let work = BackgroundWork(limits: .init(drain: .milliseconds(1), grace: .seconds(3_600)))
        let reports = Journal()
        let started = Counter()
        let allStarted = Signal()
        try await running(work) {
            for name in ["cut", "failed", "done"] {
                try await leave([name], with: work, reports) { name in
                    if started.next() == 3 { allStarted.fire() }
                    do {
                        try await Signal().waitOrCancel()
                    } catch {
                        if name == "cut" { throw error }
                        if name == "failed" { throw TestError() }
                    }
                }
            }
            await allStarted.wait()
        }
        #expect(
            Set(short(reports)) == [#"the job "cut" was cut off"#, #"the job "failed" failed"#]
        )
        #expect(reports.entries.count == 2)
        #expect(work.counts == BackgroundWork.Counts())
    }

    @Test("one that ends at the moment at which the grace passes is reported once", arguments: 1...200)
    func race(_ round: Int) async throws {
        let work = BackgroundWork(limits: .init(drain: .zero, grace: .microseconds(round % 20 * 10)))
        let reports = Journal()
        let started = Signal()
        try await running(work) {
            try await leave(["job"], with: work, reports) { _ in
                started.fire()
                while !Task.isCancelled { await Task.yield() }
                for _ in 0..<round % 30 { await Task.yield() }
                throw CancellationError()
            }
            await started.wait()
        }
        while work.counts != BackgroundWork.Counts() { await Task.yield() }
        #expect(short(reports) == [#"the job "job" was cut off"#])
    }

    @Test("a job has a name, the priority and the task-locals of who runs the work, and none of its request's task")
    func surroundings() async throws {
        let work = BackgroundWork()
        let journal = Journal()
        let runner = Task(priority: .utility) {
            await Self.$runner.withValue("runner") { await work.runUntilShutdown() }
        }
        await work.untilRunning()
        try await Self.$runner.withValue("request") {
            try await leave(["mail"], with: work, Journal()) { name in
                let priority = Task.currentPriority == .utility
                journal.note("\(Task.name ?? "-"), \(priority), \(Self.runner), \(Task.isCancelled)")
            }
        }
        while work.counts != BackgroundWork.Counts() { await Task.yield() }
        work.shutDown()
        await runner.value
        #expect(journal.entries == ["after response: mail, true, runner, false"])
    }
}
