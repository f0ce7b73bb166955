import PerRequest
import Testing

@Suite("The around form (rule 17)")
struct AroundTests {
    /// A with-function as databases have them.
    private static func withTransaction<Result: Sendable>(
        _ journal: Journal,
        _ body: (String) async throws -> Result
    ) async throws -> Result {
        journal.note("begin")
        do {
            let result = try await body("transaction")
            journal.note("commit")
            return result
        } catch {
            journal.note("rollback")
            throw error
        }
    }

    private static func transaction(
        _ journal: Journal,
        released: ReleasePoint = .beforeResponse
    ) -> RequestResource<String> {
        .around("transaction", released: released) { use in
            try await withTransaction(journal) { transaction in try await use(transaction) }
        }
    }

    @Test("`use` returns when the request succeeded, before the response", arguments: [true, false])
    func commit(suspends: Bool) async throws {
        let journal = Journal()
        let connection = noting("connection", in: journal)
        let transaction = RequestResource.around("transaction", released: .beforeResponse) { use in
            let connection = try await connection.get()
            return try await Self.withTransaction(journal) { transaction in
                if suspends { await Task.yield() }
                return try await use("\(transaction) on \(connection)")
            }
        }
        let scope = StoreScope()
        let value = try await transaction.get(in: scope.store)
        #expect(value == "transaction on connection")
        #expect(try await transaction.get(in: scope.store) == value)
        await scope.settle(status: .http(201))
        #expect(journal.entries == ["acquire connection", "begin", "commit"])
        await scope.close()
        #expect(journal.entries.last == "release connection: commit")
    }

    @Test("`use` throws when the request failed, and the function's rethrow is not a release failure")
    func rollback() async throws {
        let journal = Journal()
        let transaction = Self.transaction(journal)
        let scope = StoreScope(report: { Issue.record("\($0)") })
        _ = try await transaction.get(in: scope.store)
        scope.fail(TestError())
        let settlement = await scope.settle(status: .http(409))
        #expect(journal.entries == ["begin", "rollback"])
        #expect(settlement.outcome.releaseFailures.isEmpty)
        await scope.close()
    }

    @Test("A driver that wraps the error of its closure is not a release failure either")
    func wrappedRollback() async throws {
        struct DriverError: Error { let underlying: (any Error)? }
        let transaction = RequestResource<Int>.around("transaction") { use in
            do { return try await use(1) } catch { throw DriverError(underlying: error) }
        }
        let scope = StoreScope(report: { Issue.record("\($0)") })
        _ = try await transaction.get(in: scope.store)
        scope.fail(TestError())
        #expect(await scope.close().releaseFailures.isEmpty)
    }

    @Test("A commit that fails turns the response into a 500")
    func failingCommit() async throws {
        let transaction = RequestResource<Int>.around("transaction", released: .beforeResponse) { use in
            _ = try await use(1)
            throw TestError("commit")
        }
        let scope = StoreScope(report: { _ in })
        _ = try await transaction.get(in: scope.store)
        let settlement = await scope.settle(status: .http(200))
        #expect(settlement.replacement == .http(500))
        #expect(settlement.failure?.failures.first?.error as? TestError == TestError("commit"))
        await scope.close()
    }

    @Test("A function that returns nothing gives a receipt of its own")
    func receipt() async throws {
        @Sendable func withNothing(_ body: (Int) async throws -> Void) async throws { try await body(3) }
        let resource = RequestResource<Int>.around("resource") { use in
            try await withNothing { value in _ = try await use(value) }
            return use.receipt()
        }
        let value = try await withRequestStore { _ in try await resource.get() }
        #expect(value == 3)
    }

    @Test("Never calling `use` fails the acquisition")
    func neverCalled() async throws {
        let silent = RequestResource<Int>.around("silent") { use in use.receipt() }
        let throwing = RequestResource<Int>.around("throwing") { _ in throw TestError("begin") }
        try await withRequestStore { _ in
            #expect(await reason { try await silent.get() }?.name == "useNeverCalled")
            await #expect(throws: TestError("begin")) { try await throwing.get() }
            try Task.checkCancellation()
        }
    }

    @Test("A second call after the first returned throws and fails the resource")
    func retried() async throws {
        let journal = Journal()
        // A commit that fails once, in a function that tries again.
        let transaction = RequestResource<Int>.around("transaction", released: .beforeResponse) { use in
            for attempt in 1... {
                do {
                    let receipt = try await use(attempt)
                    if attempt == 1 { throw TestError("serialization") }
                    return receipt
                } catch is TestError {
                    journal.note("retry")
                }
            }
            return use.receipt()
        }
        let scope = StoreScope(report: { _ in })
        _ = try await transaction.get(in: scope.store)
        let settlement = await scope.settle(status: .http(200))
        #expect(settlement.replacement == .http(500))
        #expect((settlement.failure?.failures.first?.error as? RequestStoreError)?.reason.name == "useCalledTwice")
        #expect(journal.entries == ["retry"])
        await scope.close()
    }

    @Test("A second call fails the resource though the function swallows what that throws", arguments: [true, false])
    func swallowedSecondCall(_ isAtOnce: Bool) async throws {
        let reports = Reports()
        let transaction = RequestResource<Int>.around("transaction", released: .beforeResponse) { use in
            guard isAtOnce else {
                let receipt = try await use(1)
                _ = try? await use(2)
                return receipt
            }
            await withTaskGroup { group in
                for _ in 1...2 { group.addTask { _ = try? await use(1) } }
            }
            return use.receipt()
        }
        let scope = StoreScope(report: reports.take)
        _ = try? await transaction.get(in: scope.store)
        if isAtOnce { await reports.first.wait() }
        let settlement = await scope.settle(status: .http(200))
        #expect(settlement.replacement == .http(500))
        #expect((settlement.failure?.failures.first?.error as? RequestStoreError)?.reason.name == "useCalledTwice")
        await scope.close()
    }

    @Test("A second call beside the first throws in both and loses the resource")
    func twiceAtOnce() async throws {
        let transaction = RequestResource<Int>.around("transaction", released: .beforeResponse) { use in
            try await withThrowingTaskGroup(of: RequestUse<Int>.Receipt.self) { group in
                group.addTask { try await use(1) }
                group.addTask { try await use(2) }
                return try await group.next()!
            }
        }
        let reports = Reports()
        let scope = StoreScope(report: reports.take)
        _ = try? await transaction.get(in: scope.store)
        await reports.first.wait()
        #expect(await reason { try await transaction.get(in: scope.store) }?.name == "resourceLost")
        let settlement = await scope.settle(status: .http(200))
        #expect(settlement.replacement == .http(500))
        #expect(settlement.outcome.verdict == .rollback)
        await scope.close()
    }

    @Test("A function that ends early loses the resource: reads throw, the verdict is rollback")
    func endsEarly() async throws {
        let journal = Journal()
        let die = Signal()
        let other = noting("other", in: journal, released: .beforeResponse)
        let transaction = RequestResource<Int>.around("transaction", released: .beforeResponse) { use in
            try await withThrowingTaskGroup(of: RequestUse<Int>.Receipt.self) { group in
                group.addTask { try await use(1) }
                group.addTask {
                    await die.wait()
                    throw TestError("connection lost")
                }
                return try await group.next()!
            }
        }
        let reports = Reports()
        let observer = CountingObserver()
        let scope = StoreScope(observers: [observer], report: reports.take)
        _ = try await other.get(in: scope.store)
        _ = try await transaction.get(in: scope.store)
        die.fire()
        await reports.first.wait()
        #expect(await reason { try await transaction.get(in: scope.store) }?.name == "resourceLost")
        let settlement = await scope.settle(status: .http(200))
        #expect(settlement.replacement == .http(500))
        #expect(settlement.outcome.releaseFailures.map(\.resource) == ["transaction"])
        #expect(journal.entries.last == "release other: rollback")
        await scope.close()
        #expect(reports.all.count == 1)
        #expect(observer.counts.acquired == observer.counts.released)
    }

    @Test("A `use` that the function does not await is lost with the function, a thousand times")
    func unstructuredUse() async throws {
        let observer = CountingObserver()
        for _ in 0..<1_000 {
            let stray = Signal()
            let resource = RequestResource<Int>.around("resource", limits: .init(release: .seconds(3_600))) { use in
                Task {
                    _ = try? await use(1)
                    stray.fire()
                }
                if Bool.random() { await Task.yield() }
                return use.receipt()
            }
            let scope = StoreScope(observers: [observer], report: { _ in })
            let reason = await reason { while true { _ = try await resource.get(in: scope.store) } }
            #expect(["useNeverCalled", "resourceLost"].contains(reason?.name))
            await scope.close()
            await stray.wait()
        }
        #expect(observer.counts.closed == 1_000)
        #expect(observer.counts.acquired == observer.counts.released)
    }

    @Test("A function that swallows what `use` threw is reported")
    func swallows() async throws {
        let transaction = RequestResource<Int>.around("transaction") { use in
            (try? await use(1)) ?? use.receipt()
        }
        let reports = Reports()
        let scope = StoreScope(report: reports.take)
        _ = try await transaction.get(in: scope.store)
        scope.fail(TestError())
        let outcome = await scope.close()
        #expect((outcome.releaseFailures.first?.error as? RequestStoreError)?.reason.name == "rollbackSwallowed")
        #expect(reports.all.count == 1)
    }

    @Test("The request's cancellation does not reach the function")
    func cancellation() async throws {
        let journal = Journal()
        let transaction = RequestResource<Int>.around("transaction") { use in
            do {
                let receipt = try await use(1)
                journal.note("commit, cancelled: \(Task.isCancelled)")
                return receipt
            } catch {
                journal.note("\(type(of: error)), cancelled: \(Task.isCancelled)")
                throw error
            }
        }
        let task = Task {
            try await withRequestStore { _ in
                _ = try await transaction.get()
                withUnsafeCurrentTask { unsafe $0?.cancel() }
                try Task.checkCancellation()
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(journal.entries == ["RequestRollback, cancelled: false"])
    }

    @Test("A value that arrives late is rolled back", arguments: [true, false])
    func late(ignoresCancellation: Bool) async throws {
        let journal = Journal()
        let transaction = RequestResource<Int>.around("transaction", released: .beforeResponse) { use in
            journal.note("begin")
            do { try await Signal().waitOrCancel() } catch  where ignoresCancellation {}
            do {
                return try await use(1)
            } catch {
                journal.note("\(type(of: error))")
                throw error
            }
        }
        let scope = StoreScope(report: { Issue.record("\($0)") })
        let waiter = Task.immediate { try await transaction.get(in: scope.store) }
        let settlement = await scope.settle(status: .http(200))
        #expect(settlement.failure == nil)
        #expect(await reason { try await waiter.value }?.name == "releasePointBegan")
        #expect(journal.entries.first == "begin")
        #expect(journal.entries.count == (ignoresCancellation ? 2 : 1))
        await scope.close()
    }

    @Test("Settling races with a function that dies: one verdict, one release, a thousand times")
    func race() async throws {
        let observer = CountingObserver()
        for _ in 0..<1_000 {
            let die = Signal()
            let transaction = RequestResource<Int>.around("transaction", released: .beforeResponse) { use in
                try await withThrowingTaskGroup(of: RequestUse<Int>.Receipt.self) { group in
                    group.addTask { try await use(1) }
                    group.addTask {
                        await die.wait()
                        throw TestError("connection lost")
                    }
                    let receipt = try await group.next()!
                    group.cancelAll()
                    die.fire()
                    return receipt
                }
            }
            let scope = StoreScope(observers: [observer], report: { _ in })
            _ = try await transaction.get(in: scope.store)
            async let fired: Void = die.fire()
            let settlement = await scope.settle(status: .http(200))
            await fired
            let isLost = settlement.outcome.verdict == .rollback
            #expect((settlement.replacement == .http(500)) == isLost)
            await scope.close()
        }
        #expect(observer.counts == .init(opened: 1_000, closed: 1_000, acquired: 1_000, released: 1_000))
    }
}
