import Testing

@testable import PerRequest

/// Something in a child store hangs: its parent waits a third of its time, and then does without it.
@Suite("A child that hangs holds up nothing that it is not built on (rules 4 and 13)", .timeLimit(.minutes(10)))
struct HangingChildTests {
    enum Way: CaseIterable, Sendable {
        case factory, aroundBeforeUse, aroundAfterUse, release, use, useExclusively
    }

    /// A third of it is time enough on a busy machine.
    private static let limits = RequestLimits(afterResponse: .seconds(6))

    /// A resource that is built on a connection and hangs until `end`.
    private static func hanging(
        _ way: Way,
        on connection: RequestResource<String>,
        _ begun: Signal,
        _ end: Signal,
        in journal: Journal
    ) -> RequestResource<String> {
        @Sendable func hang() async {
            begun.fire()
            await end.wait()
            journal.note("ended")
        }
        switch way {
        case .factory, .release, .use, .useExclusively:
            return RequestResource("hanging") {
                let connection = try await connection.get()
                if way == .factory { await hang() }
                return connection
            } release: { _, _ in
                if way == .release { await hang() }
            }
        case .aroundBeforeUse, .aroundAfterUse:
            return .around("hanging") { use in
                let connection = try await connection.get()
                if way == .aroundBeforeUse { await hang() }
                let receipt = try await use(connection)
                await hang()
                return receipt
            }
        }
    }

    /// Opens children, one in the other, in the innermost of which something hangs.
    private static func open(
        _ way: Way,
        _ hanging: RequestResource<String>,
        depth: Int,
        middle: RequestResource<String>,
        _ ready: Signal,
        _ leave: Signal
    ) async throws {
        let isInnermost = depth == 1
        try await withRequestStore(isInnermost ? .child(owning: hanging) : .child(owning: middle), id: "child") { _ in
            guard isInnermost else {
                _ = try await middle.get()
                return try await open(way, hanging, depth: depth - 1, middle: middle, ready, leave)
            }
            switch way {
            case .factory, .aroundBeforeUse: _ = try? await hanging.get()
            case .release, .aroundAfterUse:
                _ = try await hanging.get()
                ready.fire()
                await leave.wait()
            case .use:
                try await hanging.use { _ in
                    ready.fire()
                    await leave.wait()
                }
            case .useExclusively:
                try await hanging.useExclusively { _ in
                    ready.fire()
                    await leave.wait()
                }
            }
        }
    }

    @Test(
        "Rule 13: in time, the parent releases in order what the child is not built on, and the rest when it ends",
        arguments: Way.allCases,
        [(1, 1), (2, 1), (3, 1), (1, 2)]
    )
    func hanging(_ way: Way, nesting: (depth: Int, children: Int)) async throws {
        let journal = Journal()
        let reports = Reports()
        let observer = CountingObserver()
        let (end, leave) = (Signal(), Signal())
        let scope = StoreScope(id: "root", limits: Self.limits, observers: [observer], report: reports.take)
        let pool = noting("pool of one", in: journal)
        let middle = noting("middle", in: journal)
        let connection = noting("connection", in: journal)
        let last = noting("last", in: journal)
        _ = try await pool.get(in: scope.store)
        var children: [Task<Void, any Error>] = []
        for _ in 0..<nesting.children {
            let (begun, ready) = (Signal(), Signal())
            let hanging = Self.hanging(way, on: connection, begun, end, in: journal)
            children.append(
                Task {
                    try await scope.run {
                        try await Self.open(way, hanging, depth: nesting.depth, middle: middle, ready, leave)
                    }
                }
            )
            await (way == .factory || way == .aroundBeforeUse ? begun : ready).wait()
        }
        _ = try await last.get(in: scope.store)
        await scope.close()

        let middles = (1..<nesting.depth).map { _ in "release middle: commit" }
        #expect(
            journal.entries.filter { $0.hasPrefix("release") }
                == middles + ["release last: commit", "release pool of one: commit"]
        )
        let overrun = reports.all.filter { "\($0.kind)".hasPrefix("pointOverran") }
        #expect(!overrun.contains { $0.request == "root" }, "the parent had to give up")
        #expect(!scope.store.isClosed)

        end.fire()
        leave.fire()
        for child in children { _ = await child.result }
        await until { scope.store.isClosed }
        #expect(journal.entries.last == "release connection: commit")
        #expect(journal.entries.count { $0 == "release connection: commit" } == 1)
        await observer.untilBalanced()
    }

    @Test("Rule 13: a child whose own opener waits for what hangs is no different", arguments: Way.allCases)
    func closedByItsOpener(_ way: Way) async throws {
        let journal = Journal()
        let (begun, ready, end, leave) = (Signal(), Signal(), Signal(), Signal())
        let observer = CountingObserver()
        let scope = StoreScope(id: "root", limits: Self.limits, observers: [observer], report: { _ in })
        let pool = noting("pool of one", in: journal)
        let connection = noting("connection", in: journal)
        let hanging = Self.hanging(way, on: connection, begun, end, in: journal)
        _ = try await pool.get(in: scope.store)
        let child = Task {
            try await scope.run {
                try await withRequestStore(.child(owning: hanging), id: "child") { store in
                    let user = Task { try await Self.inside(way, hanging, in: store, ready, leave) }
                    await (way == .factory || way == .aroundBeforeUse ? begun : ready).wait()
                    return user
                }
            }
        }
        let isChildsOwn = way == .release || way == .aroundAfterUse
        if isChildsOwn { await begun.wait() } else { await until { connection.valueIfHeld(in: scope.store) != nil } }
        await ready.wait(if: !(way == .factory || way == .aroundBeforeUse))
        await scope.close()
        #expect(journal.entries == ["acquire pool of one", "acquire connection", "release pool of one: commit"])
        end.fire()
        leave.fire()
        _ = await child.result
        await until { scope.store.isClosed }
        #expect(journal.entries.last == "release connection: commit")
        await observer.untilBalanced()
    }

    private static func inside(
        _ way: Way,
        _ hanging: RequestResource<String>,
        in store: RequestStore,
        _ ready: Signal,
        _ leave: Signal
    ) async throws {
        switch way {
        case .factory, .aroundBeforeUse, .release, .aroundAfterUse:
            _ = try await hanging.get(in: store)
            ready.fire()
        case .use:
            try await hanging.use(in: store) { _ in
                ready.fire()
                await leave.wait()
            }
        case .useExclusively:
            try await hanging.useExclusively(in: store) { _ in
                ready.fire()
                await leave.wait()
            }
        }
    }

    @Test(
        "Rule 13: a body that a child began with its parent's connection holds up the connection alone",
        arguments: [false, true],
        [1, 2]
    )
    func bodyWithTheParents(exclusive: Bool, depth: Int) async throws {
        let journal = Journal()
        let (ready, leave) = (Signal(), Signal())
        let none = noting("none", in: journal)
        let pool = noting("pool of one", in: journal)
        let connection = noting("connection", in: journal)
        let reports = Reports()
        let scope = StoreScope(id: "root", limits: Self.limits, report: reports.take)
        _ = try await pool.get(in: scope.store)
        let child = Task {
            try await scope.run {
                try await inChildren(depth, owning: none) {
                    if exclusive {
                        try await connection.useExclusively { _ in
                            ready.fire()
                            await leave.wait()
                        }
                    } else {
                        try await connection.use { _ in
                            ready.fire()
                            await leave.wait()
                        }
                    }
                    journal.note("ended")
                }
            }
        }
        await ready.wait()
        await scope.close()
        #expect(journal.entries == ["acquire pool of one", "acquire connection", "release pool of one: commit"])
        leave.fire()
        _ = await child.result
        await until { scope.store.isClosed }
        #expect(Set(journal.entries.suffix(2)) == ["ended", "release connection: commit"])
    }

    @Test(
        "Rule 13: a body that a child began with its parent's connection is reported when the release's limit has passed",
        arguments: [false, true],
        [1, 2]
    )
    func bodyIsReported(exclusive: Bool, depth: Int) async throws {
        let journal = Journal()
        let (ready, leave) = (Signal(), Signal())
        let none = noting("none", in: journal)
        let pool = noting("pool of one", in: journal)
        let connection = RequestResource("connection", limits: .init(release: .milliseconds(20))) {
            1
        } release: { _, _ in
            journal.note("release connection")
        }
        let reports = Reports()
        let scope = StoreScope(id: "root", limits: Self.limits, report: reports.take)
        _ = try await pool.get(in: scope.store)
        let child = Task {
            try await scope.run {
                try await inChildren(depth, owning: none) {
                    guard exclusive else { return try await connection.use { _ in await hold() } }
                    try await connection.useExclusively { _ in await hold() }
                }
            }
            @Sendable func hold() async {
                ready.fire()
                await leave.wait()
            }
        }
        await ready.wait()
        await scope.close()
        #expect(journal.entries == ["acquire pool of one", "release pool of one: commit"])
        await reports.first.wait()
        guard case .releaseFailed(let failure) = reports.all[0].kind else { throw TestError("\(reports.all)") }
        #expect(failure.resource == "connection")
        #expect((failure.error as? RequestStoreError)?.reason.name == "useOverran")
        #expect(!scope.store.isClosed)

        leave.fire()
        _ = await child.result
        await until { scope.store.isClosed }
        #expect(reports.all.count == 1)
        #expect(journal.entries.last == "release connection")
    }

    @Test("Rule 13: a body in a child that ends within the limit is not reported")
    func bodyIsInTime() async throws {
        let journal = Journal()
        let (ready, leave) = (Signal(), Signal())
        let connection = noting("connection", in: journal)
        let reports = Reports()
        let scope = StoreScope(id: "root", limits: Self.limits, report: reports.take)
        let child = Task {
            try await scope.run {
                try await withRequestStore(.child) { _ in
                    try await connection.use { _ in
                        ready.fire()
                        await leave.wait()
                    }
                }
            }
        }
        await ready.wait()
        let entry = try #require(scope.store.entry(of: connection))
        await scope.close()
        #expect(scope.store.state(of: entry) == .parked)
        leave.fire()
        try await child.value
        await until { scope.store.isClosed }
        #expect(reports.all.isEmpty)
        #expect(journal.entries == ["acquire connection", "release connection: commit"])
    }
}

extension Signal {
    fileprivate func wait(if isNeeded: Bool) async { if isNeeded { await wait() } }
}
