import Testing

@testable import PerRequest

@Suite("A wait that can end is not refused (rule 11)", .timeLimit(.minutes(10)))
struct AllowedWaitTests {
    private func plain(_ name: String) -> RequestResource<Int> {
        RequestResource(name) {
            1
        } release: { _, _ in
        }
    }

    @Test("Rule 11: an unrelated task waits for a turn; siblings too, in whatever store", arguments: 0...2)
    func siblings(_ depth: Int) async throws {
        let client = plain("client")
        let none = plain("none")
        let (begun, end) = (Signal(), Signal())
        try await withRequestStore { store in
            async let first: Void = client.useExclusively { _ in
                begun.fire()
                await end.wait()
            }
            await begun.wait()
            async let second = turn(client)
            async let third = inChildren(depth + 1, owning: none) { try await turn(client) }
            await until { store.waiters == 2 }
            end.fire()
            try await first
            let values = try await [second, third]
            #expect(values == [1, 1])
        }
    }

    @Test("Rule 11: a task that was started in a body waits for the turn when the body has ended")
    func startedInBody() async throws {
        let client = plain("client")
        let other = plain("other")
        let (go, begun, end) = (Signal(), Signal(), Signal())
        try await withRequestStore { store in
            let task = try await other.useExclusively { _ in
                try await client.useExclusively { _ in
                    Task {
                        await go.wait()
                        // In the order that would be refused inside.
                        return try await client.useExclusively { _ in try await turn(other) }
                    }
                }
            }
            let holder = Task {
                try await client.useExclusively { _ in
                    begun.fire()
                    await end.wait()
                }
            }
            await begun.wait()
            go.fire()
            await until { store.waiters == 1 }
            end.fire()
            #expect(try await task.value == 1)
            try await holder.value
        }
    }

    @Test("Rule 11: a body may acquire, use and release what has nothing to do with it; readers need no turn")
    func inBody() async throws {
        let (client, other) = (plain("client"), plain("other"))
        let reading = RequestResource("reading") {
            try await client.get() + (client.use { $0 })
        } release: { _, _ in
        }
        let memo = RequestMemo("memo") { () in try await client.get() }
        try await withRequestStore { store in
            try await client.useExclusively { _ in
                #expect(try await client.get() == 1)
                let used = try await client.use { $0 }
                #expect(used == 1)
                #expect(try await reading.get(in: store) == 2)
                #expect(try await memo() == 1)
                #expect(try await turn(other) == 1)
                try await other.release(.commit)
                _ = try await withRequestStore(.child(owning: other)) { _ in try await turn(other) }
                // Another request's.
                _ = try await withRequestStore { _ in try await turn(client) }
            }
            try await client.use { _ in _ = try await turn(client) }
        }
    }

    @Test("Rule 14: a task outside releases what a body uses, and waits for it")
    func releaseOutside() async throws {
        let journal = Journal()
        let client = noting("client", in: journal)
        let (begun, end) = (Signal(), Signal())
        try await withRequestStore { store in
            let body = Task {
                try await client.use { _ in
                    begun.fire()
                    await end.wait()
                    journal.note("used")
                }
            }
            await begun.wait()
            let release = Task { try await client.release(.commit) }
            await until { store.waiters == 1 }
            end.fire()
            try await release.value
            try await body.value
        }
        #expect(journal.entries == ["acquire client", "used", "release client: commit"])
    }

    @Test("Rule 11: a release reads and uses what it is built on; a factory releases what it does not use")
    func inRelease() async throws {
        let client = plain("client")
        let spare = plain("spare")
        let built = RequestResource("built") {
            _ = try await spare.get(in: withoutNoting())
            try await spare.release(.commit)
            return try await client.get()
        } release: { _, _ in
            #expect(try await turn(client) == 1)
            let used = try await client.use { $0 }
            #expect(used == 1)
        }
        let scope = StoreScope(report: { Issue.record("\($0)") })
        await scope.run { _ = try? await built.get() }
        await scope.close()
        #expect(scope.store.isClosed)
    }

    private func withoutNoting() throws -> RequestStore { try #require(RequestStore.current) }

    @Test("Rule 11: turns that are asked for in one order, in stores of all depths, a thousand times")
    func inOrder() async throws {
        let keys = ["a", "b", "c"].map(plain)
        for _ in 0..<(isThreadSanitized ? 100 : 1_000) {
            try await withRequestStore { _ in
                try await withRequestStore(.child(owning: keys[1])) { _ in
                    try await withThrowingTaskGroup { group in
                        for _ in 0..<4 {
                            group.addTask {
                                await pause()
                                try await keys[0].useExclusively { _ in
                                    await pause()
                                    try await keys[1].useExclusively { _ in
                                        await pause()
                                        try await keys[2].useExclusively { _ in await pause() }
                                    }
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                }
            }
        }
    }
}
