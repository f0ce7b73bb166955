import PerRequest
import Testing

@Suite("Dependencies, early release, uses and limits (rules 11 to 14)")
struct DependencyTests {
    private enum Cyclic {
        static let first: RequestResource<Int> = RequestResource("first") {
            try await second.get()
        } release: { _, _ in
        }
        static let second: RequestResource<Int> = RequestResource("second") {
            try await third.get()
        } release: { _, _ in
        }
        static let third: RequestResource<Int> = RequestResource("third") {
            try await first.get()
        } release: { _, _ in
        }
    }

    @Test("Rule 11: a cycle throws its path to all that wait, whoever starts it")
    func cycle() async throws {
        try await withRequestStore { _ in
            let reason = try #require(await reason { try await Cyclic.second.get() })
            #expect("\(reason)" == #"cycle(["first", "second", "third", "first"])"#)
            let error = await #expect(throws: RequestStoreError.self) { try await Cyclic.first.get() }
            #expect("\(try #require(error))".contains(#""third" needs "first" needs "second" needs "third""#))
        }
    }

    @Test("Rule 11: two flights that come to need each other do not wait for ever, a thousand times")
    func crossing() async throws {
        enum Keys {
            static let left: RequestResource<Int> = RequestResource("left") {
                await Task.yield()
                return try await right.get()
            } release: { _, _ in
            }
            static let right: RequestResource<Int> = RequestResource("right") {
                await Task.yield()
                return try await left.get()
            } release: { _, _ in
            }
        }
        for _ in 0..<1_000 {
            try await withRequestStore { _ in
                async let left = reason { try await Keys.left.get() }
                async let right = reason { try await Keys.right.get() }
                let names = await [left?.name, right?.name]
                #expect(names == ["cycle", "cycle"])
                try Task.checkCancellation()
            }
        }
    }

    @Test("Rule 11: a resource cannot use one that is released before it, also one that is held already")
    func captive() async throws {
        let early = RequestResource("early", released: .beforeResponse) {
            1
        } release: { _, _ in
        }
        let late = RequestResource("late") {
            try await early.get()
        } release: { _, _ in
        }
        try await withRequestStore { _ in
            let first = try #require(await reason { try await late.get() })
            #expect("\(first)" == #"captive(by: "late")"#)
            _ = try await early.get()
            let second = try #require(await reason { try await late.get() })
            #expect("\(second)" == #"captive(by: "late")"#)
        }
    }

    @Test("Rule 11: a parent's resource cannot use a child's")
    func captiveChild() async throws {
        let owned = RequestResource("owned") {
            1
        } release: { _, _ in
        }
        try await withRequestStore { _ in
            try await withRequestStore(.child(owning: owned)) { child in
                let parents = RequestResource("parents") {
                    try await owned.get(in: child)
                } release: { _, _ in
                }
                let reason = try #require(await reason { try await parents.get() })
                #expect("\(reason)" == #"captive(by: "parents")"#)
            }
        }
    }

    @Test("Rule 13: what an overdue release depends on is released only after it, off the request's path")
    func overdueRelease() async throws {
        let journal = Journal()
        let end = Signal()
        let base = noting("base", in: journal)
        let other = noting("other", in: journal)
        let hanging = RequestResource("hanging", limits: .init(release: .milliseconds(20))) {
            try await base.get()
        } release: { _, _ in
            await end.wait()
            journal.note("release hanging")
        }
        let observer = CountingObserver()
        let scope = StoreScope(observers: [observer], report: { _ in })
        _ = try await other.get(in: scope.store)
        _ = try await hanging.get(in: scope.store)
        await scope.close()
        #expect(journal.entries == ["acquire other", "acquire base", "release other: commit"])
        #expect(observer.counts.released == 1, "what is overdue counts as held")
        #expect(!scope.store.isClosed)
        end.fire()
        await observer.untilBalanced()
        #expect(scope.store.isClosed)
        #expect(journal.entries.suffix(2) == ["release hanging", "release base: commit"])
        #expect(observer.counts == .init(opened: 1, closed: 1, acquired: 3, released: 3))
    }

    @Test("Rule 13: a point has a budget; the request goes on, and the rest is released in order")
    func budget() async throws {
        let journal = Journal()
        let end = Signal()
        let reports = Reports()
        let first = noting("first", in: journal, released: .beforeResponse)
        let slow = RequestResource("slow", released: .beforeResponse, limits: .init(release: .seconds(3_600))) {
            1
        } release: { _, _ in
            await end.wait()
            journal.note("release slow")
        }
        let after = noting("after", in: journal)
        let limits = RequestLimits(beforeResponse: .milliseconds(20), afterResponse: .milliseconds(20))
        let scope = StoreScope(limits: limits, report: reports.take)
        _ = try await after.get(in: scope.store)
        _ = try await first.get(in: scope.store)
        _ = try await slow.get(in: scope.store)
        let settlement = await scope.settle(status: .http(200))
        #expect(settlement.replacement == .http(503))
        #expect(Set(settlement.outcome.releaseFailures.map(\.resource)) == ["first", "slow"])
        await scope.close()
        #expect(journal.entries == ["acquire after", "acquire first"])
        end.fire()
        while !scope.store.isClosed { await Task.yield() }
        #expect(
            journal.entries.suffix(3) == ["release slow", "release first: rollback", "release after: rollback"]
        )
        #expect(reports.all.map { "\($0.kind)".prefix(12) } == ["pointOverran", "pointOverran"])
    }

    @Test("Rule 14: early release names its verdict, releases dependents first, and allows acquiring again")
    func earlyRelease() async throws {
        let journal = Journal()
        let base = noting("base", in: journal)
        let dependent = RequestResource("dependent") {
            try await base.get()
        } release: { _, outcome in
            journal.note("release dependent: \(outcome.verdict)")
        }
        let other = noting("other", in: journal)
        try await withRequestStore { _ in
            try await base.release(.commit)
            _ = try await dependent.get()
            _ = try await other.get()
            #expect(base.valueIfHeld == "base")
            try await base.release(.rollback)
            #expect(base.valueIfHeld == nil)
            #expect(dependent.valueIfHeld == nil)
            #expect(other.valueIfHeld == "other")
            _ = try await base.get()
        }
        #expect(
            journal.entries == [
                "acquire base", "acquire other", "release dependent: rollback", "release base: rollback",
                "acquire base", "release base: commit", "release other: commit",
            ]
        )
    }

    @Test("Rules 13, 14: an early release that has to wait for a release that overruns does not wait for ever")
    func earlyBehindOverrun() async throws {
        let end = Signal()
        let journal = Journal()
        let base = noting("base", in: journal)
        let dependent = RequestResource("dependent", limits: .init(release: .milliseconds(20))) {
            try await base.get()
        } release: { _, _ in
            await end.wait()
        }
        let scope = StoreScope(report: { _ in })
        _ = try await dependent.get(in: scope.store)
        let reason = try #require(await reason { try await base.release(.commit, in: scope.store) })
        #expect(reason.name == "releaseTimedOut")
        #expect(journal.entries == ["acquire base"], "what the overdue release uses is not freed")
        await scope.close()
        end.fire()
        while !scope.store.isClosed { await Task.yield() }
        #expect(journal.entries == ["acquire base", "release base: commit"])
    }

    @Test("Rule 13: a release that starts while its flight's starter still runs can be cancelled")
    func releaseInsideStart() async throws {
        let journal = Journal()
        let ended = Signal()
        let scope = StoreScope(report: { _ in })
        let late = RequestResource("late", limits: .init(release: .milliseconds(20))) {
            // The point begins inside the synchronous part of the factory.
            Task.immediate { await scope.close() }
        } release: { _, _ in
            do { try await Signal().waitOrCancel() } catch { journal.note("cancelled") }
            ended.fire()
        }
        _ = try? await late.get(in: scope.store)
        await ended.wait()
        #expect(journal.entries == ["cancelled"])
    }

    @Test("Rule 16: a point that takes too long for another reason than its own releases is a failure too")
    func budgetWithoutRelease() async throws {
        let end = Signal()
        let slow = RequestResource("slow") {
            1
        } release: { _, _ in
            await end.wait()
        }
        let scope = StoreScope(limits: .init(beforeResponse: .milliseconds(20)), report: { _ in })
        _ = try await slow.get(in: scope.store)
        let early = Task.immediate { try await slow.release(.commit, in: scope.store) }
        let settlement = await scope.settle(status: .http(200))
        #expect(settlement.failure != nil)
        #expect(settlement.replacement == .http(503))
        end.fire()
        try await early.value
        await scope.close()
    }

    @Test("Rule 14: an early release's error is its caller's, and no failure of the request")
    func earlyFailure() async throws {
        let failing = RequestResource("failing") {
            1
        } release: { _, _ in
            throw TestError("release")
        }
        let scope = StoreScope(report: { Issue.record("\($0)") })
        _ = try await failing.get(in: scope.store)
        await #expect(throws: TestError("release")) { try await failing.release(.commit, in: scope.store) }
        let outcome = await scope.close()
        #expect(outcome.verdict == .commit)
        #expect(outcome.releaseFailures.isEmpty)
    }

    @Test("Rule 14: an `around` resource commits early, and cannot be acquired again")
    func earlyAround() async throws {
        let journal = Journal()
        let transaction = RequestResource<Int>.around("transaction", released: .beforeResponse) { use in
            let receipt = try await use(1)
            journal.note("commit")
            return receipt
        }
        let scope = StoreScope()
        _ = try await transaction.get(in: scope.store)
        try await transaction.release(.commit, in: scope.store)
        #expect(journal.entries == ["commit"])
        #expect(await reason { try await transaction.get(in: scope.store) }?.name == "releasedEarly")
        await scope.close()
        #expect(journal.entries == ["commit"])
    }

    @Test("Rule 14: what a factory is using cannot be released under it")
    func inUse() async throws {
        let go = Signal()
        let base = RequestResource("base") {
            1
        } release: { _, _ in
        }
        let dependent = RequestResource("dependent") {
            let value = try await base.get()
            await go.wait()
            return value
        } release: { _, _ in
        }
        try await withRequestStore { _ in
            let waiting = Task.immediate { try await dependent.get() }
            let reason = try #require(await reason { try await base.release(.commit) })
            #expect("\(reason)" == #"inUse(by: "dependent")"#)
            go.fire()
            _ = try await waiting.value
        }
    }

    @Test("A release waits for the bodies of `use`; one that takes too long is reported, and not released under")
    func use() async throws {
        let journal = Journal()
        let end = Signal()
        let resource = RequestResource("resource", limits: .init(release: .milliseconds(20))) {
            1
        } release: { _, _ in
            journal.note("release")
        }
        let quick = try await withRequestStore { _ in
            let started = Signal()
            let task = Task {
                try await resource.use { value in
                    started.fire()
                    await Task.yield()
                    journal.note("body ended")
                    return value
                }
            }
            await started.wait()
            return task
        }
        #expect(try await quick.value == 1)
        #expect(journal.entries == ["body ended", "release"])

        let reports = Reports()
        let scope = StoreScope(report: reports.take)
        let started = Signal()
        let slow = Task {
            try await resource.use(in: scope.store) { _ in
                started.fire()
                await end.wait()
                journal.note("slow body ended")
            }
        }
        await started.wait()
        await scope.close()
        #expect(reports.all.count == 1)
        #expect(journal.entries.count == 2)
        end.fire()
        try await slow.value
        while !scope.store.isClosed { await Task.yield() }
        #expect(journal.entries.suffix(2) == ["slow body ended", "release"])
    }

    @Test("Rule 21: holding a resource for too long is reported once, with the place that acquired it")
    func hold() async throws {
        let reports = Reports()
        let resource = RequestResource("resource", limits: .init(hold: .milliseconds(10))) {
            1
        } release: { _, _ in
        }
        let scope = StoreScope(id: "4711", report: reports.take)
        _ = try await resource.get(in: scope.store)
        await reports.first.wait()
        await scope.close()
        let text = reports.all.map { "\($0)" }.joined()
        #expect(reports.all.count == 1)
        #expect(text.contains("4711") && text.contains("\"resource\"") && text.contains("DependencyTests.swift"))
    }
}
