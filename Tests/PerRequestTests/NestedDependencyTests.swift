import PerRequest
import Testing

@Suite("Dependencies between a store and its children (rules 4, 11, 13 and 14)")
struct NestedDependencyTests {
    private enum Cyclic {
        static let owned = RequestResource<Int>("owned") {
            try await parents.get()
        } release: { _, _ in
        }
        static let direct: RequestResource<Int> = RequestResource("direct") {
            await Task.yield()
            return try await withRequestStore(.child) { _ in try await direct.get() }
        } release: { _, _ in
        }
        static let parents: RequestResource<Int> = RequestResource("parents") {
            try await withRequestStore(.child(owning: owned)) { _ in
                try await withRequestStore(.child) { _ in try await owned.get() }
            }
        } release: { _, _ in
        }
        static let other: RequestResource<Int> = RequestResource("other") {
            try await parents.get()
        } release: { _, _ in
        }
    }

    @Test("Rule 11: a factory that asks for its own resource through a child throws the path")
    func cycleThroughChild() async throws {
        try await withRequestStore { _ in
            let direct = try #require(await reason { try await Cyclic.direct.get() })
            #expect("\(direct)" == #"cycle(["direct", "direct"])"#)
            let owned = try #require(await reason { try await Cyclic.parents.get() })
            #expect("\(owned)" == #"cycle(["parents", "owned", "parents"])"#)
            let other = try #require(await reason { try await Cyclic.other.get() })
            #expect("\(other)" == #"cycle(["parents", "owned", "parents"])"#)
        }
    }

    @Test("Rule 11: a cycle through a child and another flight of the parent throws, a thousand times")
    func crossing() async throws {
        enum Keys {
            static let left: RequestResource<Int> = RequestResource("left") {
                await Task.yield()
                return try await withRequestStore(.child(owning: middle)) { _ in try await middle.get() }
            } release: { _, _ in
            }
            static let middle: RequestResource<Int> = RequestResource("middle") {
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
        for _ in 0..<(isThreadSanitized ? 100 : 1_000) {
            try await withRequestStore { _ in
                async let left = reason { try await Keys.left.get() }
                async let right = reason { try await Keys.right.get() }
                let names = await [left?.name, right?.name]
                #expect(names == ["cycle", "cycle"])
                try Task.checkCancellation()
            }
        }
    }

    @Test("Rule 11: a factory may open a child and use what the child owns: it closes before the factory ends")
    func ownChild() async throws {
        let journal = Journal()
        let owned = noting("owned", in: journal)
        let parents = RequestResource("parents") {
            let value = try await withRequestStore(.child(owning: owned)) { child in
                let inner = try await withRequestStore(.child) { _ in try await owned.get() }
                let outer = try await owned.get(in: child)
                return inner + outer
            }
            journal.note("acquire parents")
            return value
        } release: { _, _ in
        }
        let value = try await withRequestStore { _ in try await parents.get() }
        #expect(value == "ownedowned")
        #expect(journal.entries == ["acquire owned", "release owned: commit", "acquire parents"])
    }

    @Test("Rules 13, 14: what a child's resource is built on is not released under it")
    func earlyRelease() async throws {
        let journal = Journal()
        let base = noting("base", in: journal)
        let middle = RequestResource("middle") {
            try await base.get() + " middle"
        } release: { _, _ in
            journal.note("release middle")
        }
        let owned = RequestResource("owned") {
            // A second look is no second hold.
            _ = try await middle.get()
            return try await middle.use { $0 + " owned" }
        } release: { _, _ in
            journal.note("release owned")
        }
        try await withRequestStore { _ in
            try await withRequestStore(.child(owning: owned)) { _ in
                #expect(try await owned.get() == "base middle owned")
                for resource in [base, middle] {
                    let reason = try #require(await reason { try await resource.release(.commit) })
                    #expect("\(reason)" == #"inUse(by: "owned")"#)
                }
                try await owned.release(.commit)
                try await base.release(.rollback)
                #expect(try await owned.get() == "base middle owned")
            }
            journal.note("child closed")
            try await base.release(.commit)
        }
        let once = ["acquire base", "release owned"]
        let parents = ["release middle"]
        #expect(
            journal.entries == once + parents + ["release base: rollback"] + once + ["child closed"] + parents
                + ["release base: commit"]
        )
    }

    @Test("Rule 14: a child's flight that failed holds nothing, when its caller is told")
    func failedFlight() async throws {
        let journal = Journal()
        let base = noting("base", in: journal)
        let owned = RequestResource<Int>("owned") {
            _ = try await base.get()
            throw TestError()
        } release: { _, _ in
        }
        try await withRequestStore { _ in
            try await withRequestStore(.child(owning: owned)) { _ in
                await #expect(throws: TestError.self) { try await owned.get() }
                try await base.release(.commit)
            }
        }
        #expect(journal.entries == ["acquire base", "release base: commit"])
    }

    @Test("Rules 12, 17: a child's `around` that ended or was released early holds nothing")
    func around() async throws {
        let journal = Journal()
        let base = noting("base", in: journal)
        let end = Signal()
        let transaction = RequestResource<String>.around("transaction") { use in
            let base = try await base.get()
            return try await withThrowingTaskGroup { group in
                group.addTask { try await use(base) }
                group.addTask {
                    try await end.waitOrCancel()
                    throw TestError("connection lost")
                }
                defer { group.cancelAll() }
                return try await group.next()!
            }
        }
        for isLost in [false, true] {
            _ = try? await withRequestStore { _ in
                _ = try? await withRequestStore(.child(owning: transaction)) { _ in
                    _ = try await transaction.get()
                    #expect(await reason { try await base.release(.commit) }?.name == "inUse")
                    if isLost {
                        end.fire()
                        while transaction.valueIfHeld != nil { await Task.yield() }
                        // The loss is known before its hold has ended.
                        while await reasonIfAny({ try await base.release(.commit) }) != nil { await Task.yield() }
                    } else {
                        try await transaction.release(.commit)
                        try await base.release(.commit)
                    }
                    journal.note("child open")
                }
            }
        }
        let each = ["acquire base", "release base: commit", "child open"]
        #expect(journal.entries == each + each)
    }

    private func reasonIfAny(_ body: () async throws -> Void) async -> (any Error)? {
        do {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    @Test("Rule 13: a parent that settles waits for the child's resource, and reports it if that takes too long")
    func settlingParent() async throws {
        let journal = Journal()
        let reports = Reports()
        let base = RequestResource("base", released: .beforeResponse, limits: .init(release: .milliseconds(10))) {
            1
        } release: { _, outcome in
            journal.note("release base: \(outcome.verdict)")
        }
        let owned = RequestResource("owned") {
            try await base.get()
        } release: { _, _ in
            journal.note("release owned")
        }
        let held = Signal()
        let end = Signal()
        let scope = StoreScope(report: reports.take)
        let child = await scope.run {
            Task {
                try await withRequestStore(.child(owning: owned)) { _ in
                    _ = try await owned.get()
                    held.fire()
                    await end.wait()
                }
            }
        }
        await held.wait()
        let settlement = await scope.settle(status: .http(200))
        #expect(settlement.replacement == .http(503))
        #expect("\(try #require(reports.all.first))".contains("a child store's resource"))
        #expect(journal.entries.isEmpty)
        end.fire()
        try await child.value
        await scope.close()
        #expect(journal.entries == ["release owned", "release base: rollback"])
    }

    @Test("Rule 11: a factory that has ended holds nothing captive")
    func endedFactory() async throws {
        let owned = RequestResource("owned") {
            1
        } release: { _, _ in
        }
        try await withRequestStore { _ in
            try await withRequestStore(.child(owning: owned)) { child in
                let go = Signal()
                let parents = RequestResource("parents") {
                    #expect(await reason { try await owned.get(in: child) }?.name == "captive")
                    return Task {
                        await go.wait()
                        return try await owned.get(in: child)
                    }
                } release: { _, _ in
                }
                let leaked = try await parents.get()
                go.fire()
                #expect(try await leaked.value == 1)
            }
        }
    }

    @Test("Rule 2: a root that is opened inside a factory is no part of it")
    func rootInside() async throws {
        let base = RequestResource("base") {
            1
        } release: { _, _ in
        }
        let outer: RequestResource<Int> = RequestResource("outer") {
            try await withRequestStore { _ in try await base.get() }
        } release: { _, _ in
        }
        let value = try await withRequestStore { _ in try await outer.get() }
        #expect(value == 1)
    }
}
