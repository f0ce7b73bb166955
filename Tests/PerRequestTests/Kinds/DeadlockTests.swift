import Testing

@testable import PerRequest

/// A wait that would never end says so at once, and names what it waits for; one that can end is not refused.
@Suite("No deadlock, or it says so at once (rule 11)", .timeLimit(.minutes(10)))
struct DeadlockTests {
    private func plain(_ name: String) -> RequestResource<Int> {
        RequestResource(name) {
            1
        } release: { _, _ in
        }
    }

    /// Runs tasks that have the turn of one resource each and then want the next one's; says what was refused.
    private func ring(_ resources: [(RequestResource<Int>, RequestStore)]) async -> [String] {
        let inside = Counter()
        let together = Signal()
        return await withTaskGroup { group in
            for number in resources.indices {
                group.addTask { () -> String? in
                    let (own, store) = resources[number]
                    let (next, other) = resources[(number + 1) % resources.count]
                    return await reasonIfAny {
                        try await own.useExclusively(in: store) { _ in
                            if inside.next() == resources.count { together.fire() }
                            await together.wait()
                            try await next.useExclusively(in: other) { _ in }
                        }
                    }.map { "\($0)" }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.compactMap(\.self)
        }
    }

    @Test(
        "Rule 11: bodies of a parent's, a child's and a child's child's resources that wait for each other",
        arguments: 2...3
    )
    func acrossStores(_ count: Int) async throws {
        let keys = ["a", "b", "c"].map(plain)
        for _ in 0..<100 {
            try await withRequestStore { root in
                try await withRequestStore(.child(owning: keys[1])) { child in
                    try await withRequestStore(.child(owning: keys[2])) { inner in
                        let stores = [root, child, inner]
                        // Each store is named, or found through the innermost.
                        let refused = await ring((0..<count).map { (keys[$0], Bool.random() ? stores[$0] : inner) })
                        #expect(refused.count == 1)
                        let names = Array(["a", "b", "c"].prefix(count))
                        let paths = names.indices.map { Array(names[$0...] + names[...$0]) }
                        #expect(paths.map { "deadlock(\($0))" }.contains(refused.first), "\(refused)")
                    }
                }
            }
        }
    }

    @Test(
        "Rule 11: a body with the turn joins a flight that waits for the turn, whoever is first",
        arguments: [false, true]
    )
    func bodyAndFlight(viaChild: Bool) async throws {
        let client = plain("client")
        let flying = Signal()
        let built = RequestResource("built") {
            flying.fire()
            return try await turn(client)
        } release: { _, _ in
        }
        try await withRequestStore { root in
            try await withRequestStore(viaChild ? .child(owning: built) : .join) { store in
                let outside = try await client.useExclusively { _ in
                    // The flight is under way, of a task that has nothing to do with the body.
                    let outside = RequestSnapshot(store)
                    let caller = Task.detached { try await outside.run { try await built.get() } }
                    await flying.wait()
                    await until { root.waiters >= 2 }
                    let refused = await refusal { try await built.get() }
                    #expect(refused == #"deadlock(["client", "built", "client"])"#)
                    return caller
                }
                #expect(try await outside.value == 1)
            }
        }
    }

    @Test("Rule 11: what a body starts may not want the body's turn, in whatever it is hidden")
    func turnInside() async throws {
        let client = plain("client")
        let built = RequestResource("built") {
            try await turn(client)
        } release: { _, _ in
        }
        let memo = RequestMemo("memo") { () in try await turn(client) }
        let through = RequestResource("through") {
            try await built.get()
        } release: { _, _ in
        }
        func insideOfTurn(_ store: RequestStore) async {
            #expect(await refusal { try await turn(client) } == #"inUse(by: "client")"#)
            #expect(await refusal { try await turn(client, in: store) } == #"inUse(by: "client")"#)
            let direct = await refusal { try await withRequestStore(.child) { _ in try await turn(client) } }
            #expect(direct == #"inUse(by: "client")"#)
            let path = #"deadlock(["built", "client", "built"])"#
            #expect(await refusal { try await built.get() } == path)
            let farther = await refusal { try await through.get(in: store) }
            #expect(farther == #"deadlock(["built", "client", "through", "built"])"#)
            #expect(await refusal { try await memo() } == #"deadlock(["memo", "client", "memo"])"#)
            for depth in 1...3 {
                // Of the child's own, which is built on its parent's.
                #expect(await refusal { try await inChildren(depth, owning: built) { try await built.get() } } == path)
                let inMemo = await refusal { try await inChildren(depth, owning: memo) { try await memo() } }
                #expect(inMemo == #"deadlock(["memo", "client", "memo"])"#)
            }
        }
        try await withRequestStore { store in
            try await client.useExclusively { _ in await insideOfTurn(store) }
            #expect(try await through.get() == 1)
            let value = try await memo()
            #expect(value == 1)
        }
    }

    @Test("Rule 11: two memos that wait for each other through a body")
    func memosThroughBody() async throws {
        enum Keys {
            static let client = RequestResource("client") {
                1
            } release: { _, _ in
            }
            static let first: RequestMemo<Int> = RequestMemo("first") { () -> Int in
                try await client.useExclusively { _ in try await second() }
            }
            static let second: RequestMemo<Int> = RequestMemo("second") { () -> Int in
                try await client.use { _ in try await first() }
            }
            static let third: RequestMemo<Int> = RequestMemo("third") { () -> Int in
                try await client.useExclusively { _ in try await fourth() }
            }
            static let fourth: RequestMemo<Int> = RequestMemo("fourth") { () -> Int in
                try await turn(client)
            }
        }
        try await withRequestStore { _ in
            let refused = await refusal { try await Keys.first() }
            #expect(refused == #"deadlock(["client", "first", "client", "second", "client"])"#)
            let other = await refusal { try await Keys.third() }
            #expect(other == #"deadlock(["fourth", "client", "fourth"])"#)
        }
    }

    @Test("Rule 11: nobody releases what he uses, nor what that is built on", arguments: [false, true])
    func releaseInBody(explicitly: Bool) async throws {
        let base = plain("base")
        let built = RequestResource("built") {
            try await base.get()
        } release: { _, _ in
        }
        @Sendable func release(_ key: RequestResource<Int>, _ store: RequestStore) async throws {
            if explicitly { try await key.release(.commit, in: store) } else { try await key.release(.commit) }
        }
        try await withRequestStore { store in
            try await built.use { _ in
                #expect(await refusal { try await release(built, store) } == #"inUse(by: "built")"#)
                #expect(await refusal { try await release(base, store) } == #"inUse(by: "built")"#)
                let inChild = await refusal {
                    try await withRequestStore(.child) { _ in try await release(built, store) }
                }
                #expect(inChild == #"inUse(by: "built")"#)
            }
            try await built.useExclusively { _ in
                #expect(await refusal { try await release(built, store) } == #"inUse(by: "built")"#)
                #expect(await refusal { try await release(base, store) } == #"inUse(by: "built")"#)
                async let task = refusal { try await release(base, store) }
                #expect(await task == #"inUse(by: "built")"#)
            }
            // What was refused has changed nothing.
            #expect(base.valueIfHeld == 1 && built.valueIfHeld == 1)
            try await release(base, store)
            #expect(base.valueIfHeld == nil && built.valueIfHeld == nil)
        }
    }

    @Test("Rule 11: an `around` function that releases what it is built on, before, while and after its value is used")
    func releaseInAround() async throws {
        let base = plain("base")
        let journal = Journal()
        let transaction = RequestResource<Int>.around("transaction") { use in
            _ = try await base.get()
            journal.note(await refusal { try await base.release(.commit) } ?? "-")
            let receipt = try await use(1)
            journal.note(await refusal { try await base.release(.commit) } ?? "-")
            return receipt
        }
        let scope = StoreScope(report: { Issue.record("\($0)") })
        _ = try await transaction.get(in: scope.store)
        await scope.close()
        #expect(journal.entries.first == #"inUse(by: "transaction")"#)
        #expect(journal.entries.last == "releasePointBegan(PerRequest.ReleasePoint.afterResponse)")

        let early = StoreScope(report: { Issue.record("\($0)") })
        _ = try await transaction.get(in: early.store)
        try await transaction.release(.commit, in: early.store)
        #expect(journal.entries.last == #"deadlock(["transaction", "base", "transaction"])"#, "\(journal.entries)")
        await early.close()
        #expect(early.store.isClosed)
    }

    @Test("Rule 11: a release that releases another, which has to wait for it", arguments: [false, true])
    func releaseInRelease(settles: Bool) async throws {
        let journal = Journal()
        let base = plain("base")
        let other = RequestResource("other", released: .beforeResponse) {
            2
        } release: { _, _ in
            journal.note(await refusal { try await base.release(.commit) } ?? "-")
        }
        let own: RequestResource<Int> = RequestResource("own", released: .beforeResponse) {
            try await base.get()
        } release: { _, _ in
            journal.note(await refusal { try await base.release(.commit) } ?? "-")
        }
        let scope = StoreScope(report: { Issue.record("\($0)") })
        for key in [base, other, own] { _ = try await key.get(in: scope.store) }
        if settles { #expect(await scope.settle(status: .http(200)).replacement == nil) }
        if !settles { try await own.release(.commit, in: scope.store) }
        await scope.close()
        #expect(scope.store.isClosed)
        #expect(journal.entries.count == 2)
        #expect(journal.entries.allSatisfy { $0.hasPrefix("deadlock") }, "\(journal.entries)")
    }

    @Test("Rule 11: a child is closed inside of a body whose turn its release wants", arguments: 1...3, [false, true])
    func closingInBody(depth: Int, exclusive: Bool) async throws {
        let journal = Journal()
        let client = plain("client")
        let flush = RequestResource("flush") {
            1
        } release: { _, _ in
            journal.note(
                await refusal {
                    if exclusive { try await client.useExclusively { _ in } } else { try await client.release(.commit) }
                } ?? "-"
            )
        }
        try await withRequestStore { _ in
            try await client.useExclusively { _ in
                _ = try await inChildren(depth, owning: flush) { try await flush.get() }
            }
        }
        #expect(journal.entries.count == 1)
        #expect(
            journal.entries.allSatisfy { $0.hasPrefix("deadlock([") && $0.contains("client") },
            "\(journal.entries)"
        )
    }

    @Test("Rule 11: a flight that waits for a turn is told when the child that awaits it is closed in the body")
    func flightInClosingChild() async throws {
        let client = plain("client")
        let journal = Journal()
        let flush = RequestResource("flush", limits: .init(release: .seconds(3_600))) {
            // It does not react to being cancelled.
            let reason = await Task { await reasonIfAny { try await client.useExclusively { _ in } }?.name }.value
            journal.note(reason ?? "-")
        } release: { _, _ in
        }
        try await withRequestStore { _ in
            try await client.useExclusively { _ in
                try await withRequestStore(.child(owning: flush)) { store in
                    Task.detached { _ = try? await flush.get(in: store) }
                    await until { store.waiters == 2 }
                }
            }
            // By its limit the child would have closed without it.
            #expect(journal.entries == ["deadlock"])
        }
    }
}
