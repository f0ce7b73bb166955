import Foundation
import Synchronization
import Testing

@testable import PerRequest

/// The real classes under schedules that a seed decides: callers that are cancelled, factories that fail, functions that
/// end early, exclusive use, memos, early release by two, children beside and inside of factories, settling and closing, in
/// every order that the seeds give.
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
        let keys = keys(&plan, journal, seed)
        let scope = StoreScope(
            core: RequestCore(StoreConfiguration(observers: [observer], reporter: { _ in }, executor: executor))
        )
        journal.note("root \(scope.store.id)")
        var tasks: [Task<Void, Never>] = []
        for _ in 0..<4 {
            let resource = [keys.base, keys.middle, keys.transaction].randomElement(using: &plan.random)!
            let (before, after) = (plan.yields(), plan.yields())
            let way = Int.random(in: 0..<100, using: &plan.random)
            let (releases, releasesAgain) = (plan.chance(15), plan.chance(10))
            let caller = Task(executorPreference: executor) {
                await pause(before)
                await scope.run {
                    try? await call(resource, way, after, keys, journal)
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
                    if releasesAgain { await scope.run { try? await resource.release(.rollback) } }
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

    /// One of the ways to come by a value.
    private static func call(
        _ resource: RequestResource<Int>,
        _ way: Int,
        _ after: Int,
        _ keys: Keys,
        _ journal: Journal
    ) async throws {
        switch way {
        case 0..<20:
            _ = try await withRequestStore(.child(owning: keys.middle)) { _ in try await keys.middle.get() }
        case 20..<40:
            try await resource.use { _ in await pause(after) }
        case 40..<55:
            try await resource.useExclusively { value in
                await pause(after)
                // What is left of it is the next one's.
                value += 0
            }
        case 55..<70:
            let asked = journal.entries.count
            journal.note("memo \(try await keys.memo(1)) \(asked)")
        case 70..<73:
            try keys.memo.forgetAll()
        default:
            _ = try await resource.get()
        }
    }

    private struct Keys: Sendable {
        let base: RequestResource<Int>
        let middle: RequestResource<Int>
        let transaction: RequestResource<Int>
        /// Gives the number of the base that it was built on.
        let memo: RequestMemo<Int, Int>
    }

    private static func keys(_ plan: inout Plan, _ journal: Journal, _ seed: UInt64) -> Keys {
        func key(
            _ name: String,
            _ plan: inout Plan,
            _ value: @escaping @Sendable () async throws -> Int
        ) -> RequestResource<Int> {
            let (acquire, release) = (plan.yields(), plan.yields())
            let (fails, failsRelease) = (plan.chance(15), plan.chance(10))
            return RequestResource(name, line: UInt(seed)) {
                let value = try await value()
                await pause(acquire)
                if fails { throw TestError() }
                journal.note("+ \(name) \(RequestStore.current?.id ?? "-") \(value)")
                return value
            } release: { value, outcome in
                journal.note("- \(name) \(RequestStore.current?.id ?? "-") \(value)")
                await pause(release)
                journal.note("= \(name)")
                if failsRelease { throw TestError() }
            }
        }
        let number = Counter()
        let base = key("base", &plan) { number.next() }
        let (look, remember) = (plan.yields(), plan.chance(30))
        let memo = RequestMemo("memo", line: UInt(seed)) { (_: Int) in
            let value = try await base.get()
            await pause(look)
            return value
        }
        let opensChild = plan.chance(25)
        let middle = key("middle", &plan) {
            if opensChild {
                return try await withRequestStore(.child(owning: base)) { _ in try await base.get() + memo(2) }
            }
            return remember ? try await memo(1) : try await base.get()
        }
        return Keys(base: base, middle: middle, transaction: transaction(on: base, &plan, journal, seed), memo: memo)
    }

    private static func transaction(
        on base: RequestResource<Int>,
        _ plan: inout Plan,
        _ journal: Journal,
        _ seed: UInt64
    ) -> RequestResource<Int> {
        let (begin, commit) = (plan.yields(), plan.yields())
        let (dies, opensChild) = (plan.chance(15), plan.chance(20))
        let claims = plan.chance(50)
        let body: @Sendable (Int, RequestUse<Int>) async throws -> RequestUse<Int>.Receipt = { value, use in
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
            if opensChild {
                return try await withRequestStore(.child(owning: base)) { _ in
                    _ = try await base.get()
                    return try await use(value)
                }
            }
            let receipt = try await use(value)
            await pause(commit)
            journal.note("commit")
            return receipt
        }
        guard claims else {
            return .around("transaction", released: .beforeResponse, line: UInt(seed)) { use in
                try await body(base.get(), use)
            }
        }
        return .around("transaction", on: base, released: .beforeResponse, line: UInt(seed), body)
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
        var root = ""
        var gone: [String: Int] = [:]
        for (index, line) in journal.entries.enumerated() {
            let words = line.split(separator: " ").map(String.init)
            switch words[0] {
            case "root": root = words[1]
            case "memo":
                let asked = Int(words[2]) ?? 0
                if let gone = gone[words[1]], gone < asked { problems.append("14: a memo of a base that is gone") }
            case "+": held[words[1] + words[2], default: 0] += 1
            case "-":
                held[words[1] + words[2], default: 0] -= 1
                if held[words[1] + words[2], default: 0] < 0 { problems.append("12: released what was not held") }
                if let other = releasing[words[2]] { problems.append("12: \(words[1]) while \(other) is released") }
                releasing[words[2]] = words[1]
                if words[1] == "base" { gone[words[3]] = index }
                // In the same store or in a child; a child that was opened by a factory has a base of its own.
                if words[1] == "base", words[2] == root,
                    held.contains(where: { $0.key.hasPrefix("middle") && $0.value > 0 })
                {
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
