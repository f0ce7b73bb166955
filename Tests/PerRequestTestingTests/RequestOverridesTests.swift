import PerRequest
import PerRequestAdapters
import PerRequestTesting
import Synchronization
import Testing

private enum Current {
    static let user = RequestLocal<String?>("user", carried: false)
    static let traceID = RequestLocal("traceID", initial: { "made" })
    static let connection = RequestResource("connection", released: .beforeResponse) {
        Connection("real")
    } release: { connection, outcome in
        connection.end(outcome)
    }
    static let userByID = RequestMemo("userByID") { (id: Int, group: String) in "real \(id) \(group)" }
}

private final class Connection: Sendable {
    let name: String
    private let ends = Lock<[RequestOutcome.Verdict]>([])

    init(_ name: String) { self.name = name }

    var log: [RequestOutcome.Verdict] { ends.withLock { $0 } }

    func end(_ outcome: RequestOutcome) { ends.withLock { $0.append(outcome.verdict) } }
}

/// What an adapter does with a request.
private func serve(
    report: (@Sendable (RequestReport) -> Void)? = nil,
    background: BackgroundWork? = nil,
    _ handler: () async throws -> Void
) async -> (settlement: RequestSettlement, outcome: RequestOutcome) {
    let scope = RequestScope(report: report, background: background)
    let settlement = await scope.run {
        do { try await handler() } catch { scope.fail(error) }
        return await scope.settle(status: .http(200))
    }
    return (settlement, await scope.close(.completed))
}

/// What a store that opens here gives to code that uses everything.
private func seen() async throws -> [String] {
    [
        Current.user.value ?? "-", Current.traceID.value, try await Current.connection.get().name,
        try await Current.userByID(1, "a"),
    ]
}

private func expect(_ expected: [String], sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let here = try await seen()
    #expect(here == expected, sourceLocation: sourceLocation)
}

private func expectByAdapter(_ expected: [String], sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let (_, outcome) = await serve { try await expect(expected, sourceLocation: sourceLocation) }
    #expect(outcome.verdict == .commit, sourceLocation: sourceLocation)
}

private let all: [RequestOverride] = [
    .value(of: Current.user, "alice"),
    .value(of: Current.traceID, "42"),
    .resource(Current.connection) { Connection("fake") },
    .memo(Current.userByID) { id, group in "fake \(id) \(group)" },
]
private let replaced = ["alice", "42", "fake", "fake 1 a"]
private let real = ["-", "made", "real", "real 1 a"]

@Suite("Overrides around code that opens its own stores")
struct RequestOverridesTests {
    @Test("reach every store that opens under them, whoever opens it")
    func reach() async throws {
        try await withRequestOverrides(all) {
            try await withRequestStore { _ in try await expect(replaced) }
            try await withRequestStore(id: "named") { _ in try await expect(replaced) }
            try await expectByAdapter(replaced)
            let store = requestStore()
            #expect(Current.user.value(in: store) == "alice", "a private one has the values, too")
        }
    }

    @Test("end with their body, and leave nothing behind in stores that are used again")
    func end() async throws {
        for _ in 0..<3 {
            try await withRequestStore { _ in try await expect(real) }
            try await withRequestOverrides(all) { try await withRequestStore { _ in try await expect(replaced) } }
            try await expectByAdapter(real)
            try await withRequestOverrides(all) { try await expectByAdapter(replaced) }
        }
    }

    @Test("let what they replaced go when they have ended")
    func letGo() async throws {
        weak let fake = try await withRequestOverrides([.value(of: kept, Connection("fake"))]) {
            let fake = try await withRequestStore { _ in kept.value }
            _ = await serve {}
            return fake
        }
        #expect(fake == nil)
    }

    @Test("a value is pinned: what is set is ignored")
    func pinned() async throws {
        try await withRequestOverrides(all) {
            let store = try await withRequestStore { store in
                try Current.user.set("bob")
                try Current.user.set(nil, in: store)
                let present = try Current.user.update { user in
                    defer { user = "bob" }
                    return user
                }
                #expect(present == "alice")
                try Current.traceID.set("43")
                try await expect(replaced)
                try await withRequestStore(.child) { _ in
                    try Current.user.set("bob")
                    #expect(Current.user.value == "alice")
                }
                return store
            }
            #expect(throws: RequestStoreError.self) { try Current.user.set("bob", in: store) }
            #expect(throws: RequestStoreError.self) { try Current.user.update(in: store) { $0 = "bob" } }
        }
    }

    @Test("a store keeps those under which it was opened, and so do its children and snapshots")
    func children() async throws {
        try await withRequestOverrides(all) {
            try await withRequestStore { _ in
                try await withRequestStore(.child(owning: Current.connection, Current.userByID)) { _ in
                    try await expect(replaced)
                }
                let snapshot = RequestSnapshot()
                let elsewhere = Task.detached { try await snapshot.run { try await seen() } }
                let there = try await elsewhere.value
                #expect(there == replaced)
            }
        }
    }

    @Test("an open store and its children do not get them")
    func openStore() async throws {
        try await withRequestStore { _ in
            await #expect(throws: UnusedRequestOverrides.self) {
                try await withRequestOverrides(all) {
                    try await withRequestStore(.child(owning: Current.connection)) { _ in
                        try await expect(real)
                    }
                }
            }
        }
    }

    @Test("rule 20: the work after the response has them, the opener's")
    func jobs() async throws {
        let found = Lock<[[String]]>([])
        try await withRequestOverrides(all) {
            try await withRequestStore { _ in
                try RequestStore.afterResponse("mail") {
                    try Current.user.set("bob")
                    let now = try await seen()
                    found.withLock { $0.append(now) }
                    try RequestStore.afterResponse("again") {
                        let later = try await seen()
                        found.withLock { $0.append(later) }
                    }
                }
            }
        }
        #expect(found.withLock { $0 } == [replaced, replaced])
    }

    @Test("rule 20: the work after the response has them, an application's that runs elsewhere")
    func backgroundWork() async throws {
        let found = Lock<[String]>([])
        let work = BackgroundWork()
        let running = Task { await work.runUntilShutdown() }
        await work.untilRunning()
        try await withRequestOverrides(all) {
            _ = await serve(background: work) {
                try RequestStore.afterResponse("mail") {
                    let now = try await seen()
                    found.withLock { $0 = now }
                }
            }
        }
        work.shutDown()
        await running.value
        #expect(found.withLock { $0 } == replaced)
    }

    @Test("a memo's replacement is called once for each request and arguments")
    func memo() async throws {
        let calls = Lock<[Int]>([])
        let override = RequestOverride.memo(Current.userByID) { id, _ in
            calls.withLock { $0.append(id) }
            return "fake"
        }
        try await withRequestOverrides([override]) {
            for _ in 0..<2 {
                try await withRequestStore { _ in
                    for id in [1, 2, 1] {
                        let user = try await Current.userByID(id, "")
                        #expect(user == "fake")
                    }
                }
            }
        }
        #expect(calls.withLock { $0 } == [1, 2, 1, 2])
    }

    @Test("tests that run at the same time do not see each other's")
    func parallel() async throws {
        try await withRequestOverrides([.value(of: Current.user, "alice")]) {
            try await withRequestStore { _ in
                let other = Task.detached {
                    try await withRequestOverrides([.value(of: Current.user, "bob")]) {
                        try await withRequestStore { _ in Current.user.value }
                    }
                }
                let theirs = try await other.value
                #expect(theirs == "bob")
                let without = Task.detached { try await withRequestStore { _ in Current.user.value } }
                let nobodys = try await without.value
                #expect(nobodys == nil)
                #expect(Current.user.value == "alice")
            }
        }
    }

    @Test("inside of others they are added, and win")
    func nested() async throws {
        try await withRequestOverrides(all) {
            try await withRequestOverrides([.value(of: Current.user, "bob")]) {
                try await withRequestStore { _ in try await expect(["bob"] + replaced.dropFirst()) }
            }
        }
    }

    @Test("a test's own store is opened under them, and its overrides win")
    func testStore() async throws {
        try await withRequestOverrides(all) {
            try await withTestRequestStore(overriding: [.value(of: Current.user, "bob")]) { _ in
                try await expect(["bob"] + replaced.dropFirst())
                try Current.user.set("carol")
                #expect(Current.user.value == "carol")
            }
        }
    }

    @Test("an error of the code leaves unchanged, also where no store was opened")
    func error() async throws {
        await #expect(throws: CancellationError.self) {
            try await withRequestOverrides(all) { throw CancellationError() }
        }
    }
}

private let kept = RequestLocal<Connection?>("kept")

@Suite("Overrides that reach nothing")
struct UnusedRequestOverridesTests {
    @Test("a server that runs already does not see them, and the test fails with what to do")
    func runningServer() async throws {
        let (requests, send) = AsyncStream.makeStream(of: CheckedContinuation<String?, Never>.self)
        let server = Task {
            for await request in requests {
                _ = await serve { request.resume(returning: Current.user.value) }
            }
        }
        let error = await #expect(throws: UnusedRequestOverrides.self) {
            try await withRequestOverrides([.value(of: Current.user, "alice")], line: 7) {
                #expect(await withCheckedContinuation { _ = send.yield($0) } == nil)
            }
        }
        send.finish()
        await server.value
        #expect(error?.line == 7)
        #expect(error?.description.contains("at PerRequestTestingTests/RequestOverridesTests.swift:7") == true)
    }

    @Test("a server that is started under them does")
    func startedServer() async throws {
        let (requests, send) = AsyncStream.makeStream(of: CheckedContinuation<String?, Never>.self)
        try await withRequestOverrides([.value(of: Current.user, "alice")]) {
            let server = Task {
                for await request in requests {
                    _ = await serve { request.resume(returning: Current.user.value) }
                }
            }
            #expect(await withCheckedContinuation { _ = send.yield($0) } == "alice")
            send.finish()
            await server.value
        }
    }

    @Test("a store that opens under the inner ones uses the outer ones, too; not the other way round")
    func nested() async throws {
        try await withRequestOverrides(all) {
            try await withRequestOverrides(all) { try await withRequestStore { _ in } }
        }
        await #expect(throws: UnusedRequestOverrides.self) {
            try await withRequestOverrides(all) {
                try await withRequestStore { _ in }
                try await withRequestOverrides(all) {}
            }
        }
    }
}

@Suite("Forced outcomes of routes")
struct ForcedRouteTests {
    @Test("rule 15: a forced rollback rolls back what succeeded, and the response is the handler's")
    func rollback() async throws {
        let used = Lock<Connection?>(nil)
        let (settlement, outcome) = try await withRequestOverrides([], forcing: .rollback) {
            await serve {
                let connection = try await Current.connection.get()
                used.withLock { $0 = connection }
            }
        }
        #expect(used.withLock { $0?.log } == [.rollback])
        #expect(settlement.failure == nil)
        #expect(outcome.verdict == .rollback)
    }

    @Test("rule 16: a failing commit replaces the response and rolls the others back, and nothing is reported")
    func failingCommit() async throws {
        let used = Lock<Connection?>(nil)
        let reports = Lock<[RequestReport]>([])
        let (settlement, outcome) = try await withRequestOverrides([], forcing: .failingCommit) {
            await serve(report: { report in reports.withLock { $0.append(report) } }) {
                let connection = try await Current.connection.get()
                used.withLock { $0 = connection }
            }
        }
        #expect(used.withLock { $0?.log } == [.rollback])
        #expect(settlement.failure != nil)
        #expect(settlement.replacement == .http(500))
        #expect(outcome.releaseFailures.first?.error is ForcedFailure)
        #expect(reports.withLock { $0.count } == 0)
    }

    @Test("a failing commit of a handler that was cancelled meanwhile, or that used nothing")
    func cancelled() async throws {
        let (settlement, _) = try await withRequestOverrides([], forcing: .failingCommit) {
            await Task { await serve { withUnsafeCurrentTask { $0?.cancel() } } }.value
        }
        #expect(settlement.failure != nil)
    }

    @Test("code that opens its own store gets them, and its jobs have a verdict of their own")
    func ownStore() async throws {
        await #expect(throws: RequestReleaseError.self) {
            try await withRequestOverrides([], forcing: .failingCommit) { try await withRequestStore { _ in } }
        }
        let used = Lock<Connection?>(nil)
        try await withRequestOverrides([], forcing: .rollback) {
            try await withRequestStore { _ in
                try RequestStore.afterResponse("mail", .always) {
                    let connection = try await Current.connection.get()
                    used.withLock { $0 = connection }
                }
            }
        }
        #expect(used.withLock { $0?.log } == [.commit])
    }

    @Test("a handler's own error stays the cause")
    func ownError() async throws {
        let (settlement, outcome) = try await withRequestOverrides([], forcing: .failingCommit) {
            await serve { throw CancellationError() }
        }
        #expect(settlement.failure == nil)
        guard case .failed(let error) = outcome.ending else {
            Issue.record("\(outcome.ending)")
            return
        }
        #expect(error is CancellationError)
    }
}

@Suite("The trait of overrides", .requestOverrides(all))
struct RequestOverridesTraitTests {
    @Test("the stores of every test have them", arguments: 0..<3)
    func every(_ number: Int) async throws {
        try await withRequestStore { _ in try await expect(replaced) }
    }

    @Test("a test's own trait comes inside", .requestOverrides([.value(of: Current.user, "bob")], forcing: .rollback))
    func inside() async throws {
        let connection = try await withRequestStore { _ in
            #expect(Current.user.value == "bob")
            return try await Current.connection.get()
        }
        #expect(connection.name == "fake")
    }

    @Test("the store of a test's trait is opened under them", .requestStore())
    func testStore() async throws { try await expect(replaced) }
}
