import Testing

@testable import PerRequest

@Suite("A failure is always told to somebody (rules 14 and 16)", .timeLimit(.minutes(10)))
struct EarlyFailureTests {
    /// A chain of resources, each built on the one before it; some of them fail when they are released.
    private static func chain(
        _ failing: [Int],
        of count: Int,
        isAround: Bool,
        point: ReleasePoint,
        in journal: Journal
    ) -> [RequestResource<Int>] {
        var chain: [RequestResource<Int>] = []
        for number in 0..<count {
            let below = chain.last
            let fails = failing.contains(number)
            if isAround {
                chain.append(
                    .around("\(number)", released: point) { use in
                        let value = try await below?.get() ?? 0
                        let receipt: RequestUse<Int>.Receipt
                        do {
                            receipt = try await use(value + 1)
                        } catch {
                            journal.note("\(number)")
                            throw fails ? TestError("\(number)") : error
                        }
                        journal.note("\(number)")
                        if fails { throw TestError("\(number)") }
                        return receipt
                    }
                )
            } else {
                chain.append(
                    RequestResource("\(number)", released: point) {
                        try await (below?.get() ?? 0) + 1
                    } release: { _, _ in
                        await pause()
                        journal.note("\(number)")
                        if fails { throw TestError("\(number)") }
                    }
                )
            }
        }
        return chain
    }

    private static let failings: [[Int]] = [[], [0], [1], [2], [3], [0, 3], [1, 2], [0, 1, 2, 3]]

    @Test(
        "Rule 14: an early release throws its error and those of all that is built on it, one as itself",
        arguments: failings,
        [false, true]
    )
    func errors(_ failing: [Int], isAround: Bool) async throws {
        for point in [ReleasePoint.beforeResponse, .afterResponse] {
            for verdict in [RequestOutcome.Verdict.commit, .rollback] {
                for released in 0..<3 {
                    let journal = Journal()
                    let chain = Self.chain(failing, of: 4, isAround: isAround, point: point, in: journal)
                    let reports = Reports()
                    let scope = StoreScope(report: reports.take)
                    _ = try await chain[3].get(in: scope.store)
                    let expected = failing.filter { $0 >= released }.reversed().map { TestError("\($0)") }
                    let thrown = await Self.errors { try await chain[released].release(verdict, in: scope.store) }
                    #expect(thrown == expected)
                    #expect(journal.entries == (released...3).reversed().map { "\($0)" })

                    let turns = point == .beforeResponse && verdict == .commit && !expected.isEmpty
                    #expect(scope.store.outcomeVerdict == (turns ? .rollback : .commit), "it turns at once")
                    let left = failing.contains { $0 < released } && point == .beforeResponse
                    let settlement = await scope.settle(status: .http(200))
                    #expect(settlement.replacement == (turns || left ? .http(500) : nil))
                    #expect((settlement.failure == nil) == (settlement.replacement == nil))
                    await scope.close()
                    await until { scope.store.isClosed }
                    if !turns, !left, point == .beforeResponse { #expect(reports.all.isEmpty) }
                }
            }
        }
    }

    /// The errors that `body` throws: one as itself, several in a release error.
    private static func errors(of body: () async throws -> Void) async -> [TestError] {
        do {
            try await body()
            return []
        } catch let error as TestError {
            return [error]
        } catch let error as RequestReleaseError {
            #expect(error.failures.count > 1)
            return error.failures.compactMap { $0.error as? TestError }
        } catch {
            Issue.record(error)
            return []
        }
    }

    @Test("Rule 14: two resources that are built on the same one; both fail", arguments: [false, true])
    func twoDependents(isAround: Bool) async throws {
        let base = RequestResource("base") {
            0
        } release: { _, _ in
        }
        let dependents = (1...2).map { number in
            if isAround {
                return RequestResource<Int>.around("\(number)", released: .beforeResponse) { use in
                    _ = try await use(try await base.get() + number)
                    throw TestError("\(number)")
                }
            }
            return RequestResource("\(number)", released: .beforeResponse) {
                try await base.get() + number
            } release: { _, _ in
                throw TestError("\(number)")
            }
        }
        let scope = StoreScope(report: { _ in })
        for dependent in dependents { _ = try await dependent.get(in: scope.store) }
        let thrown = await Self.errors { try await base.release(.commit, in: scope.store) }
        #expect(thrown == [TestError("2"), TestError("1")])
        #expect(await scope.settle(status: .http(201)).replacement == .http(500))
        #expect(await scope.close().verdict == .rollback)
    }

    @Test("Rule 16: a failed early commit before the response rolls back what is released after it, whoever catches it")
    func turnsTheRest() async throws {
        let journal = Journal()
        let before = noting("before", in: journal, released: .beforeResponse)
        let after = noting("after", in: journal)
        let failing = RequestResource("failing", released: .beforeResponse) {
            1
        } release: { _, _ in
            throw TestError("commit")
        }
        do {
            let scope = StoreScope(report: { _ in })
            try await scope.run {
                _ = try await before.get()
                _ = try await after.get()
                _ = try await failing.get()
                await #expect(throws: TestError("commit")) { try await failing.release(.commit) }
                // It may be acquired again; what failed has failed.
                _ = try await failing.get()
                await #expect(throws: TestError("commit")) { try await failing.release(.rollback) }
            }
            let settlement = await scope.settle(status: .http(200))
            #expect(settlement.replacement == .http(500))
            #expect(settlement.failure?.failures.map(\.resource) == ["failing"])
            let outcome = await scope.close()
            #expect(outcome.status == .http(500))
        }
        #expect(journal.entries.suffix(2) == ["release before: rollback", "release after: rollback"])
        // `withRequestStore` throws it where its body has caught it.
        await #expect(throws: RequestReleaseError.self) {
            try await withRequestStore { _ in
                _ = try await failing.get()
                try? await failing.release(.commit)
            }
        }
        try await withRequestStore { _ in
            _ = try await failing.get()
            try? await failing.release(.rollback)
        }
    }

    @Test(
        "Rule 16: an early commit before the response that overruns makes it a 503 at once; a rollback turns nothing",
        arguments: [RequestOutcome.Verdict.commit, .rollback],
        ["closure", "around", "body"]
    )
    func overruns(_ verdict: RequestOutcome.Verdict, _ form: String) async throws {
        let end = Signal()
        let limits = ResourceLimits(release: .milliseconds(20))
        let slow: RequestResource<Int> =
            form == "around"
            ? .around("slow", released: .beforeResponse, limits: limits) { use in
                do {
                    let receipt = try await use(1)
                    await end.wait()
                    return receipt
                } catch {
                    await end.wait()
                    throw error
                }
            }
            : RequestResource("slow", released: .beforeResponse, limits: limits) {
                1
            } release: { _, _ in
                if form == "closure" { await end.wait() }
            }
        let scope = StoreScope(report: { _ in })
        _ = try await slow.get(in: scope.store)
        let begun = Signal()
        let body = Task {
            try? await slow.use(in: scope.store) { _ in
                begun.fire()
                if form == "body" { await end.wait() }
            }
        }
        await begun.wait()
        if form != "body" { await body.value }
        #expect(await reason { try await slow.release(verdict, in: scope.store) }?.name == "releaseTimedOut")
        #expect(scope.store.outcomeVerdict == (verdict == .commit ? .rollback : .commit))
        // Also for whoever asks now; but what a closure releases can be acquired again.
        let again = await reasonIfAny { try await slow.release(.rollback, in: scope.store) }
        #expect(again?.name == (form == "closure" ? nil : "releaseTimedOut"))
        let settlement = await scope.settle(status: .http(200))
        #expect(settlement.replacement == (verdict == .commit ? .http(503) : nil))
        await scope.close()
        end.fire()
        await body.value
        await until { scope.store.isClosed }
    }

    @Test("Rules 14, 16: what is released early after the response is its caller's affair", arguments: [false, true])
    func afterResponse(overruns: Bool) async throws {
        let end = Signal()
        let slow = RequestResource("slow", limits: .init(release: overruns ? .milliseconds(20) : .seconds(10))) {
            1
        } release: { _, _ in
            if overruns { await end.wait() }
            throw TestError("release")
        }
        let scope = StoreScope(report: { report in if !overruns { Issue.record("\(report)") } })
        _ = try await slow.get(in: scope.store)
        do {
            try await slow.release(.commit, in: scope.store)
            Issue.record("threw nothing")
        } catch {
            #expect(error is TestError == !overruns)
        }
        let settlement = await scope.settle(status: .http(200))
        #expect(settlement.replacement == nil && settlement.outcome.verdict == .commit)
        end.fire()
        let outcome = await scope.close()
        #expect(outcome.verdict == .commit && outcome.releaseFailures.isEmpty)
        await until { scope.store.isClosed }
    }

    @Test(
        "Rule 14: whoever asks for the same early release meanwhile waits for it and gets its result",
        arguments: [1, 2, 5]
    )
    func together(_ others: Int) async throws {
        for fails in [false, true] {
            let (begun, end) = (Signal(), Signal())
            let base = RequestResource("base") {
                1
            } release: { _, _ in
            }
            let dependent = RequestResource("dependent", limits: .init(release: .seconds(600))) {
                try await base.get()
            } release: { _, _ in
                begun.fire()
                await end.wait()
                if fails { throw TestError("dependent") }
            }
            let scope = StoreScope(report: { _ in })
            _ = try await dependent.get(in: scope.store)
            let ended = Counter()
            let tasks = (0...others).map { number in
                Task.immediate { () -> TestError? in
                    defer { ended.next() }
                    do {
                        // Of either one, with whatever verdict.
                        let key = number == others ? dependent : base
                        try await key.release(number == 1 ? .rollback : .commit, in: scope.store)
                        return nil
                    } catch {
                        return error as? TestError ?? TestError("another: \(error)")
                    }
                }
            }
            await begun.wait()
            for _ in 0..<100 { await Task.yield() }
            #expect(ended.count == 0)
            end.fire()
            for task in tasks { #expect(await task.value == (fails ? TestError("dependent") : nil)) }
            await scope.close()
        }
    }

    @Test(
        "Rules 14, 17: a dependent that is lost before its turn comes is among the failures",
        arguments: [false, true]
    )
    func lostMeanwhile(before: Bool) async throws {
        let (begun, end, lose) = (Signal(), Signal(), Signal())
        let base = RequestResource("base") {
            "1"
        } release: { _, _ in
        }
        let transaction = losable(released: before ? .beforeResponse : .afterResponse, on: base, lose: lose)
        let last = RequestResource("last") {
            try await base.get()
        } release: { _, _ in
            begun.fire()
            await end.wait()
        }
        let scope = StoreScope(report: { _ in })
        _ = try await transaction.get(in: scope.store)
        _ = try await last.get(in: scope.store)
        let caller = Task { await reason { try await base.release(.commit, in: scope.store) }?.name }
        await begun.wait()
        let entry = try #require(scope.store.acquisition(of: "transaction"))
        lose.fire()
        await until { scope.store.state(of: entry) == .lost }
        end.fire()
        #expect(await caller.value == "resourceLost")
        let settlement = await scope.settle(status: .http(200))
        #expect(settlement.replacement == (before ? .http(500) : nil))
        await scope.close()
        await until { scope.store.isClosed }
    }
}
