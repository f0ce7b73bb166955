import PerRequest
import Testing

/// What is acquired when the response has been decided is judged by how the rest of it ended.
@Suite("Acquired after settling (rule 15)", .timeLimit(.minutes(10)))
struct AfterSettlingTests {
    enum Form: CaseIterable, Sendable { case closures, around }

    static let endings: [(RequestOutcome.Ending, Bool)] = [
        (.completed, true), (.failed(TestError()), false), (.clientDisconnected, false), (.cancelled, false),
        (.abandoned, false),
    ]

    /// A request whose response has been decided.
    private static func settled() async -> StoreScope {
        let scope = StoreScope(report: { _ in })
        await scope.settle(status: .http(200))
        return scope
    }

    private static func noting(_ name: String, _ form: Form, in journal: Journal) -> RequestResource<String> {
        switch form {
        case .closures:
            return RequestResource(name) {
                name
            } release: { _, outcome in
                journal.note("\(name): \(outcome.verdict)")
            }
        case .around:
            return .around(name) { use in
                do {
                    let receipt = try await use(name)
                    journal.note("\(name): commit")
                    return receipt
                } catch {
                    journal.note("\(name): rollback")
                    throw error
                }
            }
        }
    }

    @Test(
        "Rule 15: acquired after settling commits only if the response ended completed; acquired before, as decided",
        arguments: Form.allCases,
        0..<5
    )
    func endings(_ form: Form, _ number: Int) async throws {
        let (ending, isCompleted) = Self.endings[number]
        for (status, isSuccess) in [(200, true), (404, true), (500, false)] {
            let journal = Journal()
            let before = Self.noting("before", form, in: journal)
            let after = Self.noting("after", form, in: journal)
            let scope = StoreScope(report: { Issue.record("\($0)") })
            try await scope.run {
                _ = try await before.get()
                await scope.settle(status: .http(status))
                _ = try await after.get()
                // What was acquired before is had again.
                _ = try await before.get()
            }
            let outcome = await scope.close(ending)
            #expect(
                journal.entries == [
                    "after: \(isSuccess && isCompleted ? "commit" : "rollback")",
                    "before: \(isSuccess ? "commit" : "rollback")",
                ]
            )
            #expect(outcome.verdict == (isSuccess ? .commit : .rollback), "nothing turns the request's own verdict")
        }
    }

    @Test(
        "Rule 15: what is acquired after settling and released early is told what its caller says",
        arguments: Form.allCases
    )
    func early(_ form: Form) async throws {
        let journal = Journal()
        let after = Self.noting("after", form, in: journal)
        let scope = await Self.settled()
        _ = try await after.get(in: scope.store)
        try await after.release(.commit, in: scope.store)
        await scope.close(.clientDisconnected)
        #expect(journal.entries == ["after: commit"])
    }

    @Test("Rule 15: an acquisition that began before settling is decided with the request, though it ends after it")
    func begunBefore() async throws {
        let journal = Journal()
        let (begun, go) = (Signal(), Signal())
        let slow = RequestResource("slow") {
            begun.fire()
            await go.wait()
        } release: { _, outcome in
            journal.note("\(outcome.verdict)")
        }
        let scope = StoreScope()
        let caller = Task { try await slow.get(in: scope.store) }
        await begun.wait()
        await scope.settle(status: .http(200))
        go.fire()
        try await caller.value
        await scope.close(.clientDisconnected)
        #expect(journal.entries == ["commit"])
    }

    @Test("Rule 15: what was lost or failed while it ran turns nothing either")
    func failures() async throws {
        let lose = Signal()
        let transaction = losable(lose: lose)
        let failing = RequestResource("failing") {
            1
        } release: { _, _ in
            throw TestError()
        }
        let scope = await Self.settled()
        _ = try await failing.get(in: scope.store)
        _ = try await transaction.get(in: scope.store)
        lose.fire()
        await until { transaction.valueIfHeld(in: scope.store) == nil }
        let outcome = await scope.close()
        #expect(outcome.verdict == .commit)
        #expect(outcome.releaseFailures.map(\.resource) == ["transaction", "failing"])
    }

    @Test(
        "Rule 15: in a child that its own opener closes the child's verdict counts, whatever becomes of the response",
        arguments: Form.allCases,
        1...3
    )
    func childClosedByItsOpener(_ form: Form, depth: Int) async throws {
        for (ending, _) in Self.endings {
            for fails in [false, true] {
                let journal = Journal()
                let owned = Self.noting("owned", form, in: journal)
                let scope = await Self.settled()
                await scope.run {
                    try? await inChildren(depth, owning: owned) {
                        _ = try await owned.get()
                        if fails { throw TestError() }
                    }
                }
                await scope.close(ending)
                #expect(journal.entries == [fails ? "owned: rollback" : "owned: commit"])
            }
        }
    }

    @Test(
        "Rule 15: in a child that its parent has to close it commits only if the response completed",
        arguments: Form.allCases,
        1...3
    )
    func childClosedByItsParent(_ form: Form, depth: Int) async throws {
        for (ending, isCompleted) in Self.endings {
            for opensAfter in [false, true] {
                let journal = Journal()
                let before = Self.noting("before", form, in: journal)
                let owned = Self.noting("owned", form, in: journal)
                let (opened, go, held, leave) = (Signal(), Signal(), Signal(), Signal())
                let scope = StoreScope()
                if opensAfter { await scope.settle(status: .http(200)) }
                let child = Task {
                    await scope.run {
                        try? await withRequestStore(.child(owning: before)) { _ in
                            if !opensAfter { _ = try await before.get() }
                            try await inChildren(depth, owning: owned) {
                                opened.fire()
                                await go.wait()
                                _ = try await owned.get()
                                held.fire()
                                await leave.wait()
                            }
                        }
                    }
                }
                await opened.wait()
                if !opensAfter { await scope.settle(status: .http(200)) }
                go.fire()
                await held.wait()
                await scope.close(ending)
                leave.fire()
                await child.value
                let owneds = ["owned: \(isCompleted ? "commit" : "rollback")"]
                // What the child had before the response was settled is decided with that.
                #expect(journal.entries == owneds + (opensAfter ? [] : ["before: commit"]), "\(ending)")
            }
        }
    }
}
