import PerRequest
import Synchronization
import Testing

@Suite("Values (rules 5 to 8)")
struct ValueTests {
    private static let user = RequestLocal<String?>("user")
    private static let count = RequestLocal("count", default: 0)
    private static let trace = RequestLocal("trace", initial: { Int.random(in: 0...Int.max) })
    private static let resource = RequestResource("resource") {
        1
    } release: { _, _ in
    }

    @Test("Values are set, read and updated; what was not set has its default")
    func reading() async throws {
        try await withRequestStore { _ in
            #expect(Self.user.value == nil)
            #expect(Self.count.value == 0)
            try Self.user.set("alice")
            #expect(try Self.user.require() == "alice")
            #expect(
                try Self.count.update {
                    $0 += 2; return $0
                } == 2
            )
            #expect(try Self.count.require() == 2)
            #expect(Self.trace.value == Self.trace.value)
            #expect(try Self.trace.require() == Self.trace.value)
            try Self.user.set(nil)
            #expect(await reason { try Self.user.require() }?.name == "unset")
        }
    }

    @Test("A default that is not nil does not come back for a nil that was set")
    func nilIsAValue() async throws {
        let key = RequestLocal<Int?>("key", default: 7)
        try await withRequestStore { store in
            #expect(key.value == 7)
            try key.set(nil)
            #expect(key.value == nil)
            #expect(key.value(in: store) == nil)
        }
    }

    @Test("Two keys of one name are two keys")
    func identity() async throws {
        let first = RequestLocal("name", default: 1)
        let second = RequestLocal("name", default: "two")
        try await withRequestStore { _ in
            try first.set(5)
            #expect(second.value == "two")
            try second.set("x")
            #expect(first.value == 5)
        }
    }

    @Test("Every key takes a store explicitly, whatever is current")
    func explicitStore() async throws {
        let scope = StoreScope()
        try await withRequestStore { _ in
            try Self.user.set("current")
            try Self.user.set("explicit", in: scope.store)
            #expect(try Self.user.require(in: scope.store) == "explicit")
            #expect(Self.user.value(in: scope.store) == "explicit")
            try Self.count.update(in: scope.store) { $0 += 1 }
            #expect(Self.count.value(in: scope.store) == 1)
            #expect(Self.count.value == 0)
            #expect(Self.user.value == "current")
        }
        await scope.close()
    }

    @Test("Values by name: set, read, removed; a wrong type is an error that names both")
    func names() async throws {
        try await withRequestStore { store in
            #expect(try store.get("n", as: Int.self) == nil)
            try store.set("n", to: 5)
            #expect(try store.get("n") == 5)
            let mismatch = await reason { try store.get("n", as: String.self) }
            #expect("\(try #require(mismatch))" == #"typeMismatch(stored: "Int", requested: "String")"#)
            try store.remove("n")
            #expect(try store.get("n", as: Int.self) == nil)
        }
    }

    @Test("Rule 5: outside a request `current` is nil, and a fresh store is private")
    func outside() async throws {
        #expect(RequestStore.current == nil)
        let store = requestStore()
        #expect(requestStore() != store)
        try Self.user.set("private", in: store)
        #expect(Self.user.value(in: store) == "private")
        #expect(Self.user.value == nil)
        #expect(await reason { try Self.user.set("x") }?.name == "outsideRequest")
        #expect(await reason { try Self.user.require() }?.name == "outsideRequest")
        #expect(await reason { try Self.count.require() }?.name == "outsideRequest")
        #expect(await reason { try Self.count.update { $0 += 1 } }?.name == "outsideRequest")
        #expect(await reason { try await Self.resource.get() }?.name == "outsideRequest")
        #expect(await reason { try await Self.resource.get(in: store) }?.name == "privateStore")
        #expect(Self.count.value == 0)
        #expect(Self.trace.value != Self.trace.value)
    }

    @Test("Rule 5: a task that outlives its request sees the closed store, also inside another request")
    func escape() async throws {
        let closed = Signal()
        let escaped = try await withRequestStore { store in
            try Self.user.set("alice")
            return Task {
                await closed.wait()
                #expect(RequestStore.current == store)
                #expect(requestStore() == store)
                #expect(store.isClosed)
                #expect(Self.user.value == nil)
                #expect(await reason { try Self.user.set("x") }?.name == "requestEnded")
                #expect(await reason { try Self.count.require() }?.name == "requestEnded")
                #expect(await reason { try Self.user.require() }?.name == "requestEnded")
                #expect(await reason { try Self.count.update { $0 += 1 } }?.name == "requestEnded")
                #expect(await reason { try await Self.resource.get() }?.name == "requestEnded")
                #expect(await reason { try store.get("n", as: Int.self) }?.name == "requestEnded")
                #expect(await reason { try store.set("n", to: 1) }?.name == "requestEnded")
            }
        }
        try await withRequestStore { _ in
            try Self.user.set("bob")
            closed.fire()
            await escaped.value
            #expect(Self.user.value == "bob")
        }
    }

    @Test("Rule 6: values work until the last release has ended, then they are dropped though the store is held")
    func emptied() async throws {
        let journal = Journal()
        let tracked = RequestLocal<Tracked?>("tracked")
        let key = RequestResource("key") {
            1
        } release: { _, _ in
            await Task.yield()
            try Self.user.set("set in the release")
            journal.note(Self.user.value ?? "-")
        }
        let store = try await withRequestStore { store in
            try tracked.set(Tracked { journal.note("dropped") })
            try store.set("byName", to: Tracked { journal.note("dropped") })
            _ = try await key.get()
            return store
        }
        #expect(journal.entries == ["set in the release", "dropped", "dropped"])
        #expect(store.isClosed)
        #expect(tracked.value(in: store) == nil)
    }

    @Test("Rule 6: an error names the key, the request, the reason and the remedy")
    func errors() async throws {
        let store = try await withRequestStore(id: "4711") { $0 }
        let error = #expect(throws: RequestStoreError.self) { try Self.user.set("x", in: store) }
        let text = "\(try #require(error))"
        #expect(text.contains("\"user\""))
        #expect(text.contains("request 4711"))
        #expect(text.contains("the request is over"))
        #expect(text.contains("copy what it needs"))
    }

    @Test("Rule 7: identities of stores are not reused")
    func identities() async throws {
        var seen = Set<String>()
        for _ in 0..<1_000 {
            let id = try await withRequestStore { $0.id }
            #expect(seen.insert(id).inserted)
        }
    }

    @Test("Rule 7: updates from many tasks are not lost")
    func atomicUpdates() async throws {
        try await withRequestStore { _ in
            try await withThrowingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<500 { try Self.count.update { $0 += 1 } }
                    }
                }
                try await group.waitForAll()
            }
            #expect(Self.count.value == 4_000)
        }
    }

    @Test("Rule 7: a read that races with the close gives the value or the default, a thousand times")
    func closeRace() async throws {
        for number in 0..<1_000 {
            let scope = StoreScope()
            try Self.user.set("mine \(number)", in: scope.store)
            await withTaskGroup { group in
                group.addTask {
                    for _ in 0..<10 {
                        let value = Self.user.value(in: scope.store)
                        #expect(value == nil || value == "mine \(number)")
                    }
                }
                group.addTask { _ = await scope.close() }
            }
            #expect(Self.user.value(in: scope.store) == nil)
        }
    }

    @Test("Rule 8: a default may read other keys, and a racing first read sees one result")
    func reentrantDefault() async throws {
        let base = RequestLocal("base", initial: { Int.random(in: 0..<1_000_000) })
        let derived = RequestLocal("derived", initial: { (base.value, Int.random(in: 0..<1_000_000)).1 + base.value })
        for _ in 0..<200 {
            try await withRequestStore { _ in
                let results = await withTaskGroup { group in
                    for _ in 0..<4 { group.addTask { derived.value } }
                    return await group.reduce(into: Set<Int>()) { $0.insert($1) }
                }
                #expect(results.count == 1)
            }
        }
    }

    @Test("Rule 8: a value whose deinit uses the store may be replaced, updated and dropped")
    func reentrantDeinit() async throws {
        let journal = Journal()
        let tracked = RequestLocal<Tracked?>("tracked")
        @Sendable func make(_ name: String) -> Tracked {
            Tracked {
                journal.note("\(name) sees \(Self.user.value ?? "-")")
                try? Self.user.set("seen by \(name)")
            }
        }
        try await withRequestStore { _ in
            try Self.user.set("alice")
            try tracked.set(make("first"))
            try tracked.set(make("second"))
            try tracked.update { $0 = make("third") }
        }
        #expect(journal.entries == ["first sees alice", "second sees seen by first", "third sees -"])
    }

    @Test("Rule 8: an update may read its own key, and runs again where another write came first")
    func reentrantUpdate() async throws {
        try await withRequestStore { _ in
            try Self.count.set(1)
            var runs = 0
            try Self.count.update { value in
                runs += 1
                if runs == 1 { try Self.count.set(10) }
                value += 1
            }
            #expect(runs == 2)
            #expect(Self.count.value == 11)
        }
    }

    @Test("An update that throws changes nothing")
    func throwingUpdate() async throws {
        try await withRequestStore { _ in
            try Self.count.set(1)
            #expect(throws: TestError("update")) {
                try Self.count.update { value in
                    value = 99
                    throw TestError("update")
                }
            }
            #expect(Self.count.value == 1)
        }
    }
}
