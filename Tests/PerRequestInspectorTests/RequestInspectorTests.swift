#if Inspector
import Hummingbird
import PerRequest
import PerRequestAdapters
import PerRequestHummingbird
import PerRequestInspector
import PerRequestTestSupport
import Testing

@Suite("What the inspector shows of a request")
struct RequestInspectorTests {
    let inspector = RequestInspector()
    let router = RequestStoreRouter()
    let watch = Watch()

    init() { inspector.mount(on: router) }

    @Test("is its route, its phases, what it acquired and released, and how it ended")
    func request() async throws {
        let connection = watch.resource("connection")
        router.get("notes/:id") { _, _ in
            _ = try await connection.get()
            return try await connection.use { $0 }
        }
        try await withInspected(router, inspector, observers: [watch]) { port, _ in
            #expect(try await get("/notes/42", on: port).status == 200)
            #expect(await watch.nextOutcome() != nil)
            let kept = try await kept(on: port)
            #expect(kept.requests.count == 1)
            #expect(kept.capacity == 500)
            let request = try #require(kept.request("/notes/{id}"))
            #expect(request.method == "GET")
            #expect(request.transport == "http")
            #expect(request.kind == "request")
            #expect(request.status == 200)
            #expect(request.verdict == "commit")
            #expect(request.outcome == "completed")
            #expect(request.error == nil)
            #expect(request.dropped == 0)
            #expect(request.phases.map(\.name) == ["routing", "handler", "routing", "settling", "body", "closing"])
            let closed = try #require(request.closed)
            #expect(request.phases.dropFirst().map(\.from) + [closed] == request.phases.map(\.to))
            let held = try #require(request.acquisition("connection"))
            #expect(held.askedAt.hasPrefix("RequestInspectorTests.swift:"))
            #expect(held.declaration?.hasPrefix("RequestInspectorTests.swift:") == true)
            #expect(held.verdict == "commit")
            let times = [request.opened, held.from, held.acquired, held.releasing, held.released, closed, kept.now]
            #expect(times.compactMap { $0 }.count == times.count)
            #expect(times.compactMap { $0 } == times.compactMap { $0 }.sorted())
            let use = try #require(request.calls.first)
            #expect(request.calls.count == 1)
            #expect(use.kind == "use")
            #expect(use.acquisition == held.id)
            #expect(use.to != nil)
            #expect(kept.overview.open == 0)
            #expect(kept.overview.pools.isEmpty)
        }
    }

    @Test("is there while it is in flight, with what it holds and where it was asked for")
    func inFlight() async throws {
        let (started, gate) = (Gate(), Gate())
        let connection = watch.resource("connection")
        router.get("slow") { _, _ in
            _ = try await connection.get()
            started.open()
            await gate.pass()
            return "done"
        }
        try await withInspected(router, inspector, observers: [watch]) { port, _ in
            async let response = get("/slow", on: port)
            await started.pass()
            let kept = try await kept(on: port)
            let request = try #require(kept.request("/slow"))
            #expect(request.closed == nil)
            #expect(request.outcome == nil)
            #expect(request.phases.last?.name == "handler")
            #expect(request.phases.last?.to == nil)
            #expect(kept.overview.open == 1)
            let held = try #require(kept.overview.held.first)
            #expect(held.key == "connection")
            #expect(held.request == request.id)
            #expect(held.askedAt.hasPrefix("RequestInspectorTests.swift:"))
            #expect(!held.overdue)
            #expect(kept.overview.pools.first?.holding == 1)
            gate.open()
            #expect(try await response.status == 200)
            #expect(await watch.nextOutcome() != nil)
            let after = try await get("/_requests/snapshot", on: port)
            #expect(try Kept(json: after.body).overview.held.isEmpty)
        }
    }

    @Test("is whom it waits for, and since when, where another one acquires what it needs")
    func waiting() async throws {
        let (acquiring, waits, gate) = (Gate(), Gate(), Gate())
        let slow = RequestResource("slow") {
            acquiring.open()
            await gate.pass()
            return 1
        } release: { _, _ in
        }
        router.get("two") { _, _ in
            async let first = slow.get()
            await acquiring.pass()
            async let second = slow.get()
            return try await "\(first + second)"
        }
        let waiting = Noticing { if case .waitBegan = $0.kind { waits.open() } }
        try await withInspected(router, inspector, observers: [watch, waiting]) { port, _ in
            async let response = get("/two", on: port)
            await waits.pass()
            let before = try await kept(on: port)
            let request = try #require(before.request("/two"))
            let acquisition = try #require(request.acquisition("slow"))
            #expect(acquisition.acquired == nil)
            let wait = try #require(request.calls.first { $0.kind == "wait" })
            #expect(wait.on == acquisition.id)
            #expect(wait.to == nil)
            let key = try #require(before.overview.waiting.first)
            #expect(key.key == "slow")
            #expect(key.waiters == 2)
            #expect(key.longestSince == acquisition.from)
            #expect(key.request == request.id)
            #expect(before.overview.pools.map { [$0.holding, $0.acquiring, $0.waiting] } == [[0, 1, 1]])
            gate.open()
            #expect(try await response.body == "2")
            #expect(await watch.nextOutcome() != nil)
            let after = try await kept(on: port)
            #expect(after.request("/two")?.calls.first { $0.kind == "wait" }?.to != nil)
            #expect(after.overview.waiting.isEmpty)
        }
    }

    @Test("is what failed, and the verdict")
    func failures() async throws {
        let failing = RequestResource<Int>("failing") {
            throw TestError("no connection")
        } release: { _, _ in
        }
        let unreleasable = RequestResource("unreleasable", released: .beforeResponse) {
            1
        } release: { _, _ in
            throw TestError("no commit")
        }
        router.get("fails") { _, _ in
            _ = try await failing.get()
            return "never"
        }
        router.get("commits") { _, _ in
            _ = try await unreleasable.get()
            return "never"
        }
        try await withInspected(router, inspector, observers: [watch]) { port, _ in
            #expect(try await get("/fails", on: port).status == 500)
            #expect(await watch.nextOutcome() != nil)
            #expect(try await get("/commits", on: port).status == 500)
            #expect(await watch.nextOutcome() != nil)
            let kept = try await kept(on: port)
            let fails = try #require(kept.request("/fails"))
            #expect(fails.verdict == "rollback")
            #expect(fails.outcome == "failed")
            #expect(fails.error?.contains("no connection") == true)
            #expect(fails.acquisition("failing")?.failed != nil)
            #expect(fails.acquisition("failing")?.error?.contains("no connection") == true)
            let commits = try #require(kept.request("/commits"))
            #expect(commits.status == 500)
            #expect(commits.verdict == "rollback")
            #expect(commits.acquisition("unreleasable")?.releaseError?.contains("no commit") == true)
        }
    }

    @Test("is its child stores, each with what it acquired itself")
    func children() async throws {
        let (connection, own) = (watch.resource("connection"), watch.resource("own"))
        router.get("parent") { _, _ in
            try await withRequestStore(.child(owning: own)) { _ in
                _ = try await own.get()
                _ = try await connection.get()
            }
            return "done"
        }
        try await withInspected(router, inspector, observers: [watch]) { port, _ in
            #expect(try await get("/parent", on: port).status == 200)
            _ = await (watch.nextOutcome(), watch.nextOutcome())
            let kept = try await kept(on: port)
            #expect(kept.requests.count == 2)
            let parent = try #require(kept.request("/parent"))
            let child = try #require(kept.requests.first { $0.kind == "child" })
            #expect(child.parent == parent.id)
            #expect(child.name.hasPrefix(parent.name + "/"))
            #expect(child.acquisitions.map(\.key) == ["own"])
            #expect(parent.acquisitions.map(\.key) == ["connection"])
            let one = try Kept(json: await get("/_requests/export.json?id=\(child.id)", on: port).body)
            #expect(one.requests.map(\.id) == [child.id])
        }
    }

    @Test("is its jobs, and the stores that they have")
    func jobs() async throws {
        let work = BackgroundWork()
        let connection = watch.resource("connection")
        router.get("leaves") { _, _ in
            try RequestStore.afterResponse("mail") { _ = try await connection.get() }
            try RequestStore.afterResponse("report") { throw TestError("no paper") }
            return "done"
        }
        let ended = Noticing.count(2) { if case .jobEnded = $0.kind { true } else { false } }
        try await withInspected(router, inspector, observers: [ended.observer], background: work) { port, _ in
            #expect(try await get("/leaves", on: port).status == 200)
            await ended.gate.pass()
            let kept = try await kept(on: port)
            let request = try #require(kept.request("/leaves"))
            #expect(request.jobs.map(\.name) == ["mail", "report"])
            #expect(request.jobs.map(\.end) == ["done", "failed"])
            #expect(request.jobs[1].error?.contains("no paper") == true)
            let store = try #require(kept.requests.first { $0.id == request.jobs[0].request })
            #expect(store.kind == "job")
            #expect(store.leftBy == request.id)
            #expect(store.acquisitions.map(\.key) == ["connection"])
        }
    }

    @Test("is the values that are marked, and of others only their names")
    func values() async throws {
        let tenant = RequestLocal<String?>("tenant", logged: { "tenant \($0)" })
        let password = RequestLocal<String?>("password")
        let (started, gate) = (Gate(), Gate())
        router.get("values") { _, _ in
            try tenant.set("acme")
            try password.set("hunter2")
            started.open()
            await gate.pass()
            return "done"
        }
        try await withInspected(router, inspector, observers: [watch]) { port, _ in
            async let response = get("/values", on: port)
            await started.pass()
            let open = try await get("/_requests/snapshot", on: port).body
            gate.open()
            #expect(try await response.status == 200)
            #expect(await watch.nextOutcome() != nil)
            let closed = try await get("/_requests/snapshot", on: port).body
            for json in [open, closed] {
                #expect(!json.contains("hunter2"))
                let values = try Kept(json: json).request("/values")?.values
                #expect(values?.map(\.name) == ["password", "tenant"])
                #expect(values?.map(\.value) == [nil, "tenant acme"])
            }
        }
    }

    @Test("is the values that were set while the response was written, once it has closed")
    func lateValues() async throws {
        let rows = RequestLocal<Int?>("rows", logged: { "\($0)" })
        router.get("streams") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "row"))
                    try rows.set(1)
                    try await writer.finish(nil)
                }
            )
        }
        try await withInspected(router, inspector, observers: [watch]) { port, _ in
            #expect(try await get("/streams", on: port).body.contains("row"))
            #expect(await watch.nextOutcome() != nil)
            let values = try await kept(on: port).request("/streams")?.values
            #expect(values?.map(\.name) == ["rows"])
            #expect(values?.map(\.value) == ["1"])
        }
    }

    @Test("is what has passed its limit and has not ended")
    func overdue() async throws {
        let (started, gate) = (Gate(), Gate())
        let connection = RequestResource("connection", limits: ResourceLimits(hold: .milliseconds(1))) {
            1
        } release: { _, _ in
        }
        router.get("holds") { _, _ in
            _ = try await connection.get()
            await gate.pass()
            return "done"
        }
        let passed = Noticing { if case .limitPassed = $0.kind { started.open() } }
        try await withInspected(router, inspector, observers: [watch, passed]) { port, _ in
            async let response = get("/holds", on: port)
            await started.pass()
            let before = try await kept(on: port)
            let overdue = try #require(before.overview.overdue.first)
            #expect(overdue.key == "connection")
            #expect(overdue.what == "hold")
            #expect(overdue.limit == 1_000)
            #expect(before.overview.held.map(\.overdue) == [true])
            gate.open()
            #expect(try await response.status == 200)
            #expect(await watch.nextOutcome() != nil)
            let after = try await kept(on: port)
            #expect(after.overview.overdue.isEmpty)
            #expect(after.request("/holds")?.acquisition("connection")?.limits.map(\.what) == ["hold"])
        }
    }

    @Test("is what was held where a store was dropped while it was open")
    func leaks() async throws {
        let app = RequestStoreRouter()
        inspector.mount(on: app)
        let connection = watch.resource("connection")
        let released = Gate()
        let noticing = Noticing { if case .closed = $0.kind { released.open() } }
        do {
            let scope = RequestScope(observers: [inspector, noticing])
            try await scope.run { _ = try await connection.get() }
        }
        await released.pass()
        try await withInspected(app, inspector) { port, _ in
            let kept = try await kept(on: port)
            let leak = try #require(kept.overview.leaks.first)
            #expect(leak.key == "connection")
            #expect(leak.askedAt?.hasPrefix("RequestInspectorTests.swift:") == true)
            #expect(kept.requests.map(\.outcome) == ["abandoned"])
        }
    }
}
#endif
