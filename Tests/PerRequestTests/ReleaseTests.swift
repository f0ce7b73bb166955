import PerRequest
import Synchronization
import Testing

@Suite("Releasing, verdict and outcome (rules 12, 15, 16, 18, 19)")
struct ReleaseTests {
    @Test("Rule 12: two points, each last acquired first, whatever the order of use", arguments: 0..<20)
    func points(_ round: Int) async throws {
        let journal = Journal()
        var resources: [(String, RequestResource<String>, ReleasePoint)] = []
        for number in 0..<6 {
            let point: ReleasePoint = Bool.random() ? .beforeResponse : .afterResponse
            resources.append(("\(number)", noting("\(number)", in: journal, released: point), point))
        }
        resources.shuffle()
        try await withRequestStore { _ in
            for (_, resource, _) in resources { _ = try await resource.get() }
        }
        let expected = [ReleasePoint.beforeResponse, .afterResponse].flatMap { point in
            resources.filter { $0.2 == point }.reversed().map { "release \($0.0): commit" }
        }
        #expect(Array(journal.entries.dropFirst(6)) == expected)
    }

    @Test(
        "Rule 12: once a point began nothing of it is acquired; what is held is readable until its own release starts"
    )
    func settlingReads() async throws {
        let journal = Journal()
        let never = noting("never", in: journal, released: .beforeResponse)
        let after = noting("after", in: journal)
        let early = noting("early", in: journal, released: .beforeResponse)
        let late = RequestResource("late", released: .beforeResponse) {
            1
        } release: { _, _ in
            // `early` was acquired first and is still held; `after` belongs to the later point.
            let values = try await [early.get(), after.get()]
            #expect(values == ["early", "after"])
            #expect(await reason { try await never.get() }?.name == "releasePointBegan")
        }
        let scope = StoreScope()
        try await scope.run {
            _ = try await early.get()
            _ = try await late.get()
            #expect(await scope.settle(status: .http(200)).failure == nil)
            #expect(await reason { try await early.get() }?.name == "releasePointBegan")
            #expect(try await after.get() == "after")
        }
        await scope.close()
        #expect(journal.entries.last == "release after: commit")
    }

    @Test("Rule 12: whichever release throws, the others run, in order", arguments: 0..<4, [true, false])
    func throwing(_ failing: Int, suspends: Bool) async throws {
        let journal = Journal()
        let resources = (0..<4).map { number in
            RequestResource("\(number)", line: UInt(number)) {
                number
            } release: { _, _ in
                if suspends { await Task.yield() }
                journal.note("\(number)")
                if number == failing { throw TestError("\(number)") }
            }
        }
        let error = await #expect(throws: RequestReleaseError.self) {
            try await withRequestStore { _ in for resource in resources { _ = try await resource.get() } }
        }
        #expect(journal.entries == ["3", "2", "1", "0"])
        #expect(error?.failures.map(\.resource) == ["\(failing)"])
        #expect(error?.failures.first?.error as? TestError == TestError("\(failing)"))
        #expect(error?.failures.first?.acquiredAt.fileID == "PerRequestTests/ReleaseTests.swift")
    }

    @Test("Rule 12: releases are shielded from the request's cancellation")
    func shielded() async throws {
        let journal = Journal()
        let resource = RequestResource("resource") {
            1
        } release: { _, _ in
            await Task.yield()
            journal.note("cancelled: \(Task.isCancelled)")
            try await Task.sleep(for: .microseconds(1))
            journal.note("ended")
        }
        let started = Signal()
        let task = Task {
            try await withRequestStore { _ in
                _ = try await resource.get()
                started.fire()
                try await Signal().waitOrCancel()
            }
        }
        await started.wait()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(journal.entries == ["cancelled: false", "ended"])
    }

    @Test("Rules 12, 16: a release that overruns is cancelled and reported, and the others run")
    func overrun() async throws {
        let journal = Journal()
        let reports = Reports()
        let observer = CountingObserver()
        let first = noting("first", in: journal, released: .beforeResponse)
        let hanging = RequestResource("hanging", released: .beforeResponse, limits: .init(release: .milliseconds(20))) {
            1
        } release: { _, _ in
            do { try await Signal().waitOrCancel() } catch { journal.note("hanging cancelled") }
        }
        let scope = StoreScope(observers: [observer], report: reports.take)
        _ = try await first.get(in: scope.store)
        _ = try await hanging.get(in: scope.store)
        let settlement = await scope.settle(status: .http(200))
        #expect(settlement.replacement == .http(503))
        #expect(settlement.outcome.verdict == .rollback)
        #expect(settlement.failure?.failures.map(\.resource) == ["hanging"])
        await scope.close()
        while observer.counts.released < 2 { await Task.yield() }
        #expect(journal.entries.contains("release first: rollback"))
        #expect(journal.entries.contains("hanging cancelled"))
        #expect(reports.all.count == 1)
    }

    @Test(
        "Rule 15: what was thrown rolls back; a returned 4xx commits; a returned 500 rolls back",
        arguments: [(200, .commit), (404, .commit), (499, .commit), (500, .rollback), (503, .rollback)]
            as [(Int, RequestOutcome.Verdict)]
    )
    func statuses(_ status: Int, _ verdict: RequestOutcome.Verdict) async throws {
        let journal = Journal()
        let resource = noting("resource", in: journal, released: .beforeResponse)
        for fails in [false, true] {
            let scope = StoreScope()
            _ = try await resource.get(in: scope.store)
            if fails { scope.fail(TestError()) }
            let settlement = await scope.settle(status: .http(status))
            #expect(settlement.outcome.verdict == (fails ? .rollback : verdict))
            #expect(settlement.outcome.status == .http(status))
            #expect(settlement.failure == nil, "the handler's response is not replaced")
            #expect(journal.entries.last == "release resource: \(fails ? .rollback : verdict)")
            await scope.close()
        }
    }

    @Test(
        "Rule 15: gRPC commits on OK only",
        arguments: [(0, .commit), (5, .rollback)] as [(Int, RequestOutcome.Verdict)]
    )
    func grpcStatus(_ status: Int, _ verdict: RequestOutcome.Verdict) async throws {
        let scope = StoreScope()
        #expect(await scope.settle(status: .grpc(status)).outcome.verdict == verdict)
        await scope.close()
    }

    @Test("Rule 15: `store.fail` rolls back and leaves the response; nothing after settling changes the verdict")
    func fail() async throws {
        let scope = StoreScope()
        scope.store.fail(TestError("first"))
        scope.store.fail(TestError("second"))
        let settlement = await scope.settle(status: .http(200))
        #expect(settlement.outcome.verdict == .rollback)
        #expect(settlement.failure == nil)
        let outcome = await scope.close(.clientDisconnected)
        guard case .failed(let error) = outcome.ending else { Issue.record("\(outcome)"); return }
        #expect(error as? TestError == TestError("first"))

        let late = StoreScope()
        await late.settle(status: .http(200))
        late.store.fail(TestError())
        #expect(await late.close().verdict == .commit)
    }

    @Test("Rule 15: a request whose client has gone commits")
    func clientGone() async throws {
        let journal = Journal()
        let after = noting("after", in: journal)
        let scope = StoreScope()
        _ = try await after.get(in: scope.store)
        await scope.settle(status: .http(200))
        let outcome = await scope.close(.clientDisconnected)
        #expect(outcome.verdict == .commit)
        #expect(outcome.ending.name == "clientDisconnected")
        #expect(journal.entries.last == "release after: commit")
    }

    @Test("Rule 16: a failing release turns the verdict for the rest and replaces the response")
    func failingRelease() async throws {
        let journal = Journal()
        let after = noting("after", in: journal)
        let first = noting("first", in: journal, released: .beforeResponse)
        let failing = RequestResource("failing", released: .beforeResponse) {
            1
        } release: { _, outcome in
            journal.note("failing sees \(outcome.verdict)")
            throw TestError("commit")
        }
        let last = noting("last", in: journal, released: .beforeResponse)
        let scope = StoreScope(report: { _ in })
        _ = try await after.get(in: scope.store)
        _ = try await first.get(in: scope.store)
        _ = try await failing.get(in: scope.store)
        _ = try await last.get(in: scope.store)
        let settlement = await scope.settle(status: .http(201))
        #expect(settlement.replacement == .http(500))
        #expect(settlement.outcome.status == .http(500))
        let outcome = await scope.close()
        #expect(
            journal.entries.suffix(4) == [
                "release last: commit", "failing sees commit", "release first: rollback", "release after: rollback",
            ]
        )
        #expect(outcome.verdict == .rollback)
        guard case .failed(let error) = outcome.ending else { Issue.record("\(outcome)"); return }
        #expect(error is RequestReleaseError)
    }

    @Test("Rule 16: a release that fails while rolling back leaves the handler's response alone")
    func failingRollback() async throws {
        let failing = RequestResource("failing", released: .beforeResponse) {
            1
        } release: { _, _ in
            throw TestError()
        }
        let scope = StoreScope(report: { _ in })
        _ = try await failing.get(in: scope.store)
        scope.fail(TestError("handler"))
        let settlement = await scope.settle(status: .http(409))
        #expect(settlement.failure == nil)
        #expect(settlement.replacement == nil)
        #expect(settlement.outcome.status == .http(409))
        #expect(settlement.outcome.releaseFailures.count == 1)
        await scope.close()
    }

    @Test("Rule 18: the body's error leaves unchanged, also when a release fails")
    func bodysError() async throws {
        final class Unique: Error, Sendable {}
        let error = Unique()
        let failing = RequestResource("failing") {
            1
        } release: { _, _ in
            throw TestError()
        }
        do {
            try await withRequestStore { _ in
                _ = try await failing.get()
                throw error
            }
            Issue.record("threw nothing")
        } catch let thrown {
            #expect(thrown as? Unique === error)
        }
    }

    @Test("Rule 19: the outcome tells completed, failed, cancelled and abandoned apart")
    func endings() async throws {
        let observer = CountingObserver()
        try await withRequestStore(observers: [observer]) { _ in }
        try? await withRequestStore(observers: [observer]) { _ in throw TestError("mine") }
        try? await Task {
            withUnsafeCurrentTask { unsafe $0?.cancel() }
            try await withRequestStore(observers: [observer]) { _ in try Task.checkCancellation() }
        }.value
        // A `CancellationError` in a task that is not cancelled is an error like any other.
        try? await withRequestStore(observers: [observer]) { _ in throw CancellationError() }
        #expect(observer.outcomes.map(\.ending.name) == ["completed", "failed", "cancelled", "failed"])
        #expect(observer.outcomes.map(\.verdict) == [.commit, .rollback, .rollback, .rollback])
        guard case .failed(let error) = observer.outcomes[1].ending else { return }
        #expect(error as? TestError == TestError("mine"))
    }

    @Test("Rule 19: a cause that the adapter knows is noted before the response is settled; the first cause wins")
    func knownCause() async throws {
        let journal = Journal()
        let resource = RequestResource("resource", released: .beforeResponse) {
        } release: { _, outcome in
            journal.note("\(outcome.verdict) \(outcome.ending.name)")
        }
        let scope = StoreScope()
        try await resource.get(in: scope.store)
        scope.fail(as: .clientDisconnected)
        scope.fail(TestError())
        await scope.settle(status: .grpc(0))
        scope.fail(as: .cancelled)
        let outcome = await scope.close()
        #expect(outcome.ending.name == "clientDisconnected")
        #expect(journal.entries == ["rollback clientDisconnected"])
    }

    @Test("Rule 19: the status is the intended one while settling and the written one afterwards")
    func writtenStatus() async throws {
        let journal = Journal()
        let before = RequestResource("before", released: .beforeResponse) {
            1
        } release: { _, outcome in
            journal.note("\(outcome.status.map { "\($0)" } ?? "-") \(outcome.ending.name)")
        }
        let after = RequestResource("after") {
            1
        } release: { _, outcome in
            journal.note("\(outcome.status.map { "\($0)" } ?? "-") \(outcome.ending.name)")
        }
        let scope = StoreScope()
        _ = try await before.get(in: scope.store)
        _ = try await after.get(in: scope.store)
        await scope.settle(status: .http(200))
        await scope.close(.clientDisconnected, status: .http(204))
        #expect(journal.entries == ["HTTP 200 completed", "HTTP 204 clientDisconnected"])
    }

    @Test("Rule 19: the outcome of a request that used nothing is told as well", arguments: [false, true])
    func emptyOutcome(_ isObserved: Bool) async {
        for written in [nil, RequestStatus.http(204)] {
            let scope = StoreScope(observers: isObserved ? [CountingObserver()] : [])
            await scope.settle(status: .http(200))
            let outcome = await scope.close(.clientDisconnected, status: written)
            #expect(outcome.status == written ?? .http(200))
            #expect(outcome.ending.name == "clientDisconnected")
            #expect(outcome.verdict == .commit)
        }
    }

    @Test("A hundred resources are released without a hundred frames of stack", arguments: [false, true])
    func many(suspends: Bool) async throws {
        let journal = Journal()
        let resources = (0..<1_000).map { number in
            RequestResource("\(number)", line: UInt(number)) {
                number
            } release: { value, _ in
                if suspends { await Task.yield() }
                journal.note("\(value)")
            }
        }
        // A thousand turns of a busy machine's threads may take longer than a request has.
        let scope = StoreScope(limits: RequestLimits(afterResponse: .seconds(600)))
        try await scope.run { for resource in resources { _ = try await resource.get() } }
        await scope.close()
        #expect(journal.entries == (0..<1_000).reversed().map { "\($0)" })
    }
}
