import Synchronization
import Testing

@testable import PerRequest

@Suite("Children that outlive where they were opened (rules 4 and 13)", .timeLimit(.minutes(10)))
struct LeakedChildTests {
    @Test(
        "Rule 4: a child that a factory leaked is its parent's to close, and what it uses goes after it",
        arguments: [1, 2]
    )
    func leakedByFactory(depth: Int) async throws {
        let journal = Journal()
        let (held, leave) = (Signal(), Signal())
        let connection = noting("connection", in: journal)
        let statement = RequestResource("statement", limits: .init(release: .seconds(600))) {
            try await connection.get()
        } release: { _, _ in
            await pause()
            journal.note("release statement")
        }
        let leaking = RequestResource("leaking") {
            Task {
                try? await inChildren(depth, owning: statement) {
                    try await statement.use { _ in
                        held.fire()
                        await leave.wait()
                        journal.note("used")
                    }
                }
            }
        } release: { _, _ in
            journal.note("release leaking")
        }
        let scope = StoreScope(limits: .init(afterResponse: .seconds(600)), report: { Issue.record("\($0)") })
        let leaked = try await leaking.get(in: scope.store)
        await held.wait()
        let closing = Task { await scope.close() }
        await until { scope.store.core.request.state.withLock { $0.lifecycle.phase(of: 0) == .closing } }
        for _ in 0..<100 { await Task.yield() }
        #expect(journal.entries == ["acquire connection"])
        leave.fire()
        _ = await closing.value
        await leaked.value
        #expect(
            journal.entries.dropFirst().map { $0 } == [
                "used", "release statement", "release connection: commit", "release leaking",
            ]
        )
    }

    @Test("Rule 4: a child that a running `around` leaked is closed after the `around` has ended")
    func leakedByAround() async throws {
        let journal = Journal()
        let (held, leave) = (Signal(), Signal())
        let owned = noting("owned", in: journal)
        let transaction = RequestResource<Int>.around("transaction") { use in
            Task {
                try? await withRequestStore(.child(owning: owned)) { _ in
                    _ = try await owned.get()
                    held.fire()
                    await leave.wait()
                }
            }
            let receipt = try await use(1)
            await pause()
            journal.note("committed")
            return receipt
        }
        let scope = StoreScope()
        _ = try await transaction.get(in: scope.store)
        await held.wait()
        await scope.close()
        leave.fire()
        #expect(journal.entries == ["acquire owned", "committed", "release owned: commit"])
        #expect(scope.store.isClosed)
    }

    @Test("Rule 13: a lost `around` takes the children that it opened with it; what they are built on goes last")
    func openedByLost() async throws {
        let journal = Journal()
        let (held, leave, lose) = (Signal(), Signal(), Signal())
        let connection = noting("connection", in: journal)
        let owned = RequestResource("owned") {
            try await connection.get()
        } release: { _, _ in
            journal.note("release owned")
        }
        let transaction = losable(lose: lose) {
            Task {
                try? await withRequestStore(.child(owning: owned)) { _ in
                    _ = try await owned.get()
                    held.fire()
                    await leave.wait()
                }
            }
            await held.wait()
        }
        let scope = StoreScope(report: { _ in })
        _ = try await transaction.get(in: scope.store)
        lose.fire()
        await until { transaction.valueIfHeld(in: scope.store) == nil }
        await scope.close()
        leave.fire()
        #expect(scope.store.isClosed)
        #expect(journal.entries == ["acquire connection", "release owned", "release connection: rollback"])
    }

    @Test("Rules 4, 12: children in flights, in children, closed from everywhere: a thousand times")
    func racing() async throws {
        for _ in 0..<(isThreadSanitized ? 100 : 1_000) {
            let journal = Journal()
            let connection = RequestResource("connection") {
                1
            } release: { _, _ in
                journal.note("release connection")
            }
            let number = Counter()
            let statement = RequestResource("statement") {
                _ = try await connection.get()
                return number.next()
            } release: { number, _ in
                journal.note("release \(number)")
            }
            let point: ReleasePoint = Bool.random() ? .beforeResponse : .afterResponse
            let user = RequestResource<Int>.around("user", released: point) { use in
                await pause()
                return try await inChildren(Int.random(in: 1...3), owning: statement) {
                    let number = try await statement.get()
                    journal.note("use \(number)")
                    defer { journal.note("used \(number)") }
                    await pause()
                    do {
                        let receipt = try await use(1)
                        await pause()
                        return receipt
                    } catch {
                        await pause()
                        throw error
                    }
                }
            }
            let observer = CountingObserver()
            let scope = StoreScope(observers: [observer], report: { _ in })
            let callers = (0..<2).map { number in
                Task {
                    await pause()
                    await scope.run {
                        if number == 0 { return _ = try? await user.get() }
                        _ = try? await withRequestStore(.child(owning: user)) { _ in
                            _ = try await user.get()
                            await pause()
                        }
                    }
                }
            }
            await pause()
            if Bool.random() { await scope.settle(status: .http(200)) }
            await pause()
            await scope.close()
            for caller in callers { await caller.value }
            await until { scope.store.isClosed }
            let lines = journal.entries
            for (place, line) in lines.enumerated() where line.hasPrefix("release") {
                let before = lines[..<place]
                let used =
                    line == "release connection" ? before.count { $0.hasPrefix("use ") || $0.hasPrefix("used ") } : 0
                #expect(used.isMultiple(of: 2), "\(lines)")
                let number = line.dropFirst("release".count)
                #expect(before.contains("use\(number)") == before.contains("used\(number)"), "\(lines)")
            }
            await observer.untilBalanced()
        }
    }
}
