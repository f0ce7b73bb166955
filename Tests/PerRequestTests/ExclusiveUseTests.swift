import PerRequest
import Testing

@Suite("Exclusive use (rules 9, 11 to 14)")
struct ExclusiveUseTests {
    /// A client that only one task at a time may use: the compiler says so.
    private final class Client {
        private(set) var queries = 0
        private var isBusy = false

        static func connect() async throws -> Client { Client() }

        func query(_ text: String = "") async -> Int {
            #expect(!isBusy, "two tasks use the client")
            isBusy = true
            await Task.yield()
            isBusy = false
            queries += 1
            return queries
        }

        func close() async -> Int { queries }
    }

    private static let closed = Journal()

    private enum Current {
        static let client = RequestResource("client") {
            try await Client.connect()
        } release: { client, outcome in
            await closed.note("\(outcome.verdict) after \(client.close())")
        }
    }

    @Test("A client that is not Sendable is used by one body at a time, and released after the last")
    func callSite() async throws {
        try await withRequestStore { _ in
            let count = try await Current.client.useExclusively { client in await client.query("…") }
            #expect(count == 1)
            try await withThrowingTaskGroup { group in
                for _ in 0..<10 {
                    group.addTask { try await Current.client.useExclusively { client in _ = await client.query() } }
                }
                try await group.waitForAll()
            }
            #expect(try await Current.client.useExclusively { $0.queries } == 11)
        }
        #expect(Self.closed.entries == ["commit after 11"])
    }

    /// Starts a body that has the turn until `end`, and returns when it has it.
    private func occupy<Value>(
        _ resource: RequestResource<Value>,
        in store: RequestStore,
        until end: Signal
    ) async -> Task<Void, any Error> {
        let begun = Signal()
        let task = Task {
            try await resource.useExclusively(in: store) { _ in
                begun.fire()
                await end.wait()
            }
        }
        await begun.wait()
        return task
    }

    private func counter(_ journal: Journal, limits: ResourceLimits = ResourceLimits()) -> RequestResource<Counting> {
        RequestResource("counter", limits: limits) {
            Counting()
        } release: { counter, _ in
            journal.note("release \(counter.count)")
        }
    }

    private struct Counting {
        var count = 0
        let client = Client()
    }

    @Test("Bodies have their turns in the order in which they asked, and each sees what the one before left")
    func order() async throws {
        let journal = Journal()
        let counter = counter(journal)
        let end = Signal()
        let scope = StoreScope()
        let first = await occupy(counter, in: scope.store, until: end)
        // Each asks before the next one starts.
        let others = (1...5).map { number in
            Task.immediate {
                try await counter.useExclusively(in: scope.store) { counter in
                    counter.count += 1
                    journal.note("\(number): \(counter.count)")
                    if number == 3 { throw TestError() }
                }
            }
        }
        #expect(journal.entries.isEmpty)
        end.fire()
        try await first.value
        for (number, other) in zip(1..., others) {
            let result = await other.result
            #expect((number == 3) == ((try? result.get()) == nil))
        }
        await scope.close()
        #expect(journal.entries == ["1: 1", "2: 2", "3: 3", "4: 4", "5: 5", "release 5"])
    }

    @Test("Rule 9: a cancelled caller ends its own wait; a turn that is free is taken all the same")
    func cancellation() async throws {
        let journal = Journal()
        let counter = counter(journal)
        let end = Signal()
        let scope = StoreScope()
        let first = await occupy(counter, in: scope.store, until: end)
        let cancelled = Task.immediate { try await counter.useExclusively(in: scope.store) { _ in journal.note("?") } }
        let last = Task.immediate { try await counter.useExclusively(in: scope.store) { _ in journal.note("last") } }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        let late = Task {
            withUnsafeCurrentTask { unsafe $0?.cancel() }
            try await counter.useExclusively(in: scope.store) { _ in journal.note("?") }
        }
        await #expect(throws: CancellationError.self) { try await late.value }
        end.fire()
        try await first.value
        try await last.value
        try await Task {
            withUnsafeCurrentTask { unsafe $0?.cancel() }
            try await counter.useExclusively(in: scope.store) { _ in journal.note("held") }
        }.value
        await scope.close()
        #expect(journal.entries == ["last", "held", "release 0"])
    }

    @Test(
        "Rule 12: the release waits for the body that runs and for those that wait; an overrun is reported",
        arguments: [false, true]
    )
    func release(overruns: Bool) async throws {
        let journal = Journal()
        let reports = Reports()
        let counter = counter(journal, limits: .init(release: overruns ? .milliseconds(10) : .seconds(3_600)))
        let end = Signal()
        let scope = StoreScope(report: reports.take)
        let first = await occupy(counter, in: scope.store, until: end)
        let second = Task.immediate {
            try await counter.useExclusively(in: scope.store) { counter in
                counter.count += 1
                _ = await counter.client.query()
                journal.note("second")
            }
        }
        let closing = Task.immediate { _ = await scope.close() }
        if overruns {
            await closing.value
            #expect("\(try #require(reports.all.first))".contains("a body of `use`"))
        }
        #expect(journal.entries.isEmpty)
        end.fire()
        try await first.value
        try await second.value
        await closing.value
        while !scope.store.isClosed { await Task.yield() }
        #expect(journal.entries == ["second", "release 1"])
        #expect(reports.all.count == (overruns ? 1 : 0))
    }

    @Test("Rule 14: an early release waits for the bodies; afterwards there is a new value")
    func earlyRelease() async throws {
        let journal = Journal()
        let counter = counter(journal)
        let end = Signal()
        let scope = StoreScope()
        let first = await occupy(counter, in: scope.store, until: end)
        let early = Task.immediate { try await counter.release(.commit, in: scope.store) }
        #expect(await reason { try await counter.useExclusively(in: scope.store) { _ in } }?.name == "released")
        end.fire()
        try await first.value
        try await early.value
        try await counter.useExclusively(in: scope.store) { $0.count = 7 }
        await scope.close()
        #expect(journal.entries == ["release 0", "release 7"])
    }

    @Test("Rule 11: a body that asks for its own resource throws: also in a child task, a child store or a factory")
    func insideItself() async throws {
        let client = RequestResource("client") {
            Client()
        } release: { _, _ in
        }
        let built = RequestResource("built") {
            try await client.useExclusively { client in await client.query() }
        } release: { _, _ in
        }
        let own = #"inUse(by: "client")"#
        let path = #"deadlock(["built", "client", "built"])"#
        let scope = StoreScope()
        let store = scope.store
        func ask() async -> String? {
            await reason { try await client.useExclusively(in: store) { _ in } }.map { "\($0)" }
        }
        for isCurrent in [true, false] {
            let context = isCurrent ? RequestSnapshot(store) : RequestSnapshot()
            try await context.run {
                try await client.useExclusively(in: store) { _ in
                    #expect(await ask() == own)
                    async let child = ask()
                    #expect(await child == own)
                    #expect(await reason { try await built.get(in: store) }.map { "\($0)" } == path)
                }
            }
        }
        try await scope.run {
            try await client.useExclusively { _ in
                let inChild = try await withRequestStore(.child) { _ in await ask() }
                #expect(inChild == own)
            }
            #expect(try await built.get() == 1, "its error was not kept")
        }
        let error = await #expect(throws: RequestStoreError.self) {
            try await client.useExclusively(in: store) { _ in
                try await client.useExclusively(in: store) { _ in }
            }
        }
        #expect("\(try #require(error))".contains(#"in use by "client""#))
        await scope.close()
    }

    @Test("Rule 11: bodies that come to wait for each other throw their path; one of them goes on")
    func crossing() async throws {
        let resources = ["a", "b", "c"].map { name in
            RequestResource(name) {
                Client()
            } release: { _, _ in
            }
        }
        let scope = StoreScope()
        let all = Counter()
        let together = Signal()
        let reasons = await withTaskGroup { group in
            for number in 0..<3 {
                group.addTask { () -> String? in
                    do {
                        try await resources[number].useExclusively(in: scope.store) { _ in
                            if all.next() == 3 { together.fire() }
                            await together.wait()
                            try await resources[(number + 1) % 3].useExclusively(in: scope.store) { _ in }
                        }
                        return nil
                    } catch {
                        return (error as? RequestStoreError).map { "\($0.reason)" }
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }.compactMap(\.self)
        }
        #expect(reasons.count == 1)
        let paths = [["a", "b", "c", "a"], ["b", "c", "a", "b"], ["c", "a", "b", "c"]].map { "deadlock(\($0))" }
        #expect(paths.contains(try #require(reasons.first)))
        await scope.close()
    }

    @Test(
        "Rule 11: a body is known inside of other stores and snapshots too, with or without an id",
        arguments: [nil, "a"]
    )
    func insideOthers(id: String?) async throws {
        let counter = counter(Journal())
        try await withRequestStore(id: id) { store in
            let snapshot = RequestSnapshot(store)
            try await counter.useExclusively { _ in
                let inSnapshot = await reason {
                    try await snapshot.run { try await counter.useExclusively(in: store) { _ in } }
                }
                #expect(inSnapshot?.name == "inUse")
                let inRoot = await reason {
                    try await withRequestStore(id: id) { _ in try await counter.useExclusively(in: store) { _ in } }
                }
                #expect(inRoot?.name == "inUse")
            }
        }
    }

    @Test("A task that was started in a body can ask when the body has ended")
    func afterwards() async throws {
        let journal = Journal()
        let counter = counter(journal)
        try await withRequestStore { _ in
            let go = Signal()
            let task = try await counter.useExclusively { _ in
                Task {
                    await go.wait()
                    try await counter.useExclusively { $0.count += 1 }
                }
            }
            go.fire()
            try await task.value
        }
        #expect(journal.entries == ["release 1"])
    }

    @Test("Of a Sendable value, `get` gives what the last body left; a converted value keeps what it was made from")
    func sendable() async throws {
        let journal = Journal()
        let numbers = RequestResource("numbers") {
            [1]
        } release: { numbers, _ in
            journal.note("\(numbers)")
        }
        let text = RequestResource<String>("text", as: { "\($0)" }) {
            1
        } release: { (number: Int, _) in
            journal.note("\(number)")
        }
        try await withRequestStore { _ in
            try await numbers.useExclusively { value in
                value.append(2)
                let present = try await numbers.get()
                #expect(present == [1])
            }
            #expect(try await numbers.get() == [1, 2])
            try await text.useExclusively { $0 += "!" }
            #expect(try await text.get() == "1!")
        }
        #expect(journal.entries == ["1", "[1, 2]"])
    }

    @Test("Rule 21: the value is let go when its release has ended")
    func letGo() async throws {
        final class Holder { var tracked: Tracked? }
        let journal = Journal()
        let holder = RequestResource("holder") {
            let holder = Holder()
            holder.tracked = Tracked { journal.note("gone") }
            return holder
        } release: { _, _ in
            await Task.yield()
            journal.note("release")
        }
        try await withRequestStore { store in
            try await holder.useExclusively { #expect($0.tracked != nil) }
            try await holder.release(.commit)
            #expect(journal.entries == ["release", "gone"])
        }
    }
}
