import Foundation
import Synchronization
import Testing

@testable import PerRequest

/// The real classes under schedules that a seed decides: callers that are cancelled, factories that fail, functions that
/// end early, early release, a child, settling and closing, in every order that the seeds give.
///
/// A seed that fails is printed; `PERREQUEST_SEED=n` runs that one alone.
@Suite("Interleavings (rules 4, 9 to 17)")
struct InterleavingTests {
    /// What happens in one run, decided by the seed before anything runs.
    private struct Plan: Sendable {
        var random: SeededGenerator

        mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

        mutating func yields() -> Int { Int.random(in: 0..<5, using: &random) }
    }

    private static func pause(_ yields: Int) async { for _ in 0..<yields { await Task.yield() } }

    private struct Runs: Sendable {
        var count = 0
        var jobs = 0
        var acquired = 0
        var problem: String?
    }

    /// A tenth of them under ThreadSanitizer, which needs ten times as long.
    @Test("ten thousand schedules")
    func schedules() async {
        let chosen = ProcessInfo.processInfo.environment["PERREQUEST_SEED"].flatMap(UInt64.init)
        let seeds = chosen.map { $0...$0 } ?? 1...(isThreadSanitized ? 1_000 : 10_000)
        let runs = await onOwnThread { Self.run(seeds) }
        if let problem = runs.problem { Issue.record("\(problem)") }
        print("Interleaved \(runs.count) schedules: \(runs.jobs) jobs, \(runs.acquired) acquisitions")
    }

    private static func run(_ seeds: ClosedRange<UInt64>) -> Runs {
        var runs = Runs()
        for seed in seeds {
            let executor = SeededExecutor(seed: seed)
            let observer = CountingObserver()
            let journal = Journal()
            let finished = Counter()
            let task = Task(executorPreference: executor) {
                await request(seed, executor, observer, journal, finished)
            }
            executor.run()
            withExtendedLifetime(task) {}
            runs.count += 1
            runs.jobs += executor.count
            runs.acquired += observer.counts.acquired
            let problems = problems(journal, observer, finished)
            guard problems.isEmpty else {
                let lines = journal.entries.joined(separator: "\n")
                runs.problem = "seed \(seed): \(problems.joined(separator: "; "))\n\(lines)"
                return runs
            }
        }
        return runs
    }

    private static func request(
        _ seed: UInt64,
        _ executor: SeededExecutor,
        _ observer: CountingObserver,
        _ journal: Journal,
        _ finished: Counter
    ) async {
        var plan = Plan(random: SeededGenerator(seed: seed &* 7_919))
        let (base, middle, transaction) = keys(&plan, journal)
        let scope = RequestScope(
            core: RequestCore(StoreConfiguration(observer: observer, reporter: { _ in }, executor: executor))
        )
        var tasks: [Task<Void, Never>] = []
        for _ in 0..<4 {
            let resource = [base, middle, transaction].randomElement(using: &plan.random)!
            let (before, after) = (plan.yields(), plan.yields())
            let (pins, releases, isChild) = (plan.chance(30), plan.chance(15), plan.chance(20))
            let caller = Task(executorPreference: executor) {
                await pause(before)
                await scope.run {
                    if isChild {
                        _ = try? await withRequestStore(.child(owning: middle)) { _ in try await middle.get() }
                    } else if pins {
                        try? await resource.use { _ in await pause(after) }
                    } else {
                        _ = try? await resource.get()
                    }
                    if releases { try? await resource.release(.commit) }
                }
                finished.next()
            }
            let cancelled = plan.chance(30)
            let delay = plan.yields()
            tasks.append(caller)
            tasks.append(
                Task(executorPreference: executor) {
                    await pause(delay)
                    if cancelled { caller.cancel() }
                    finished.next()
                }
            )
        }
        await pause(plan.yields() * 4)
        if plan.chance(20) { scope.fail(TestError()) }
        if plan.chance(80) {
            let settlement = await scope.settle(status: .http(200))
            journal.note("settled \(settlement.outcome.verdict)")
            await pause(plan.yields())
        }
        let outcome = await scope.close()
        journal.note("closed \(outcome.verdict)")
        for task in tasks { await task.value }
        if scope.store.isClosed { finished.next() }
    }

    private static func keys(
        _ plan: inout Plan,
        _ journal: Journal
    ) -> (RequestResource<Int>, RequestResource<Int>, RequestResource<Int>) {
        func key(_ name: String, _ plan: inout Plan, needs: RequestResource<Int>?) -> RequestResource<Int> {
            let (acquire, release) = (plan.yields(), plan.yields())
            let (fails, failsRelease) = (plan.chance(15), plan.chance(10))
            return RequestResource(name) {
                let value = try await needs?.get() ?? 0
                await pause(acquire)
                if fails { throw TestError() }
                journal.note("+ \(name) \(RequestStore.current?.id ?? "-")")
                return value + 1
            } release: { _, outcome in
                journal.note("- \(name) \(RequestStore.current?.id ?? "-")")
                await pause(release)
                journal.note("= \(name)")
                if failsRelease { throw TestError() }
            }
        }
        let base = key("base", &plan, needs: nil)
        let middle = key("middle", &plan, needs: base)
        let (begin, commit) = (plan.yields(), plan.yields())
        let dies = plan.chance(10)
        let transaction = RequestResource<Int>.around("transaction", released: .beforeResponse) { use in
            let value = try await base.get()
            await pause(begin)
            if dies {
                return try await withThrowingTaskGroup(of: RequestUse<Int>.Receipt.self) { group in
                    group.addTask { try await use(value) }
                    group.addTask {
                        await pause(begin)
                        throw TestError("connection lost")
                    }
                    return try await group.next()!
                }
            }
            let receipt = try await use(value)
            await pause(commit)
            journal.note("commit")
            return receipt
        }
        return (base, middle, transaction)
    }

    /// What is wrong with a run.
    private static func problems(_ journal: Journal, _ observer: CountingObserver, _ finished: Counter) -> [String] {
        var problems: [String] = []
        if finished.count != 9 { problems.append("9: somebody waits for ever (\(finished.count) of 9)") }
        let counts = observer.counts
        if counts.acquired != counts.released {
            problems.append("12: \(counts.acquired) acquired, \(counts.released) released")
        }
        if counts.opened != counts.closed { problems.append("1: \(counts.opened) opened, \(counts.closed) closed") }
        var held: [String: Int] = [:]
        var releasing: [String: String] = [:]
        var verdict: String?
        for line in journal.entries {
            let words = line.split(separator: " ").map(String.init)
            switch words[0] {
            case "+": held[words[1] + words[2], default: 0] += 1
            case "-":
                held[words[1] + words[2], default: 0] -= 1
                if held[words[1] + words[2], default: 0] < 0 { problems.append("12: released what was not held") }
                if let other = releasing[words[2]] { problems.append("12: \(words[1]) while \(other) is released") }
                releasing[words[2]] = words[1]
                // In the same store or in a child.
                if words[1] == "base", held.contains(where: { $0.key.hasPrefix("middle") && $0.value > 0 }) {
                    problems.append("13: base before what depends on it")
                }
            case "=": releasing = releasing.filter { $0.value != words[1] }
            case "settled": verdict = words[1]
            case "closed": if let verdict, verdict != words[1] { problems.append("15: the verdict changed") }
            default: break
            }
        }
        if let left = held.first(where: { $0.value != 0 }) { problems.append("12: \(left.key) is left") }
        return problems
    }
}
