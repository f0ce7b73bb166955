#if Hummingbird
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import PerRequest
import PerRequestTestSupport
import PerRequestHummingbird
import ServiceLifecycle
import Synchronization
import Testing

private let name = RequestLocal<String?>("name")

@Suite("Work after the response, in Hummingbird (rule 20)", .timeLimit(.minutes(3)))
struct AfterResponseTests {
    @Test("a job that runs delays neither the response nor the next request on the connection, pipelined or not")
    func delaysNobody() async throws {
        let work = BackgroundWork()
        let watch = Watch()
        let (opened, open) = AsyncStream<Void>.makeStream()
        let router = makeRouter()
        router.get("slow") { _, _ in
            try name.set("slow's")
            try RequestStore.afterResponse("slow") {
                watch.note("started")
                for await _ in opened { break }
                watch.note("ended with \(name.value ?? "-")")
            }
            return "first"
        }
        router.get("next") { _, _ in name.value ?? "second" }
        try await withServer(router, background: work) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n")
            let pipelined = try await (client.response(), client.response())
            #expect(pipelined.0.body == "first" && pipelined.1.body == "second")
            try await client.get("/next")
            let next = try await client.response()
            #expect(next.body == "second")
            #expect(!watch.journal.contains("ended with slow's"))
            open.yield()
            try await client.close()
        }
        // The shutdown has let it end.
        #expect(watch.journal == ["started", "ended with slow's"])
    }

    @Test("a streamed body ends before its job starts")
    func afterTheLastByte() async throws {
        let work = BackgroundWork()
        let watch = Watch()
        let router = makeRouter()
        router.get("streamed") { _, _ in
            try RequestStore.afterResponse("job") { watch.note("job") }
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "x"))
                    try RequestStore.afterResponse("job of the body") { watch.note("job of the body") }
                    watch.note("body")
                    try await writer.finish(nil)
                }
            )
        }
        try await withServer(router, background: work) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/streamed")
            _ = try await client.response()
            try await client.close()
        }
        #expect(watch.journal.first == "body")
        #expect(Set(watch.journal) == ["body", "job", "job of the body"])
    }

    @Test("no mail after an error that is mapped to a 409, after a 500, or after a commit that failed")
    func rollback() async throws {
        struct CommitFailed: Error {}
        let commit = RequestResource("commit", released: .beforeResponse) {
            1
        } release: { _, _ in
            throw CommitFailed()
        }
        let work = BackgroundWork()
        let watch = Watch()
        let router = makeRouter()
        router.get(":kind") { _, context -> Response in
            try RequestStore.afterResponse("mail") { watch.note("mail") }
            try RequestStore.afterResponse("audit", .always) { watch.note("audit") }
            switch context.parameters.get("kind") {
            case "conflict": throw HTTPError(.conflict)
            case "commit": _ = try await commit.get()
            default: return Response(status: .internalServerError)
            }
            return Response(status: .ok)
        }
        try await withServer(router, background: work) { port, _ in
            let client = try await RawClient.connect(to: port)
            for (path, status) in [("/conflict", 409), ("/commit", 500), ("/500", 500)] {
                try await client.get(path)
                let response = try await client.response()
                #expect(response.status == status)
            }
            try await client.close()
        }
        #expect(watch.journal == ["audit", "audit", "audit"])
    }

    @Test("an application that runs the work as one of its own services does not run it twice")
    func ownService() async throws {
        let work = BackgroundWork()
        let watch = Watch()
        let router = makeRouter()
        router.get("x") { _, _ in
            try RequestStore.afterResponse("job") { watch.note("job") }
            return "x"
        }
        let app = Application(router: router, requestStore: .http1(background: work), services: [work])
        #expect(app.services.count == 1)
        let pool = Pool(watch)
        let among = Application(router: router, requestStore: .http1(background: work), services: [pool, work, pool])
        #expect(among.services.map { $0 is BackgroundWork } == [false, true, false])
        try await app.test(.router) { client in try await client.execute(uri: "/x", method: .get) { _ in } }
        #expect(watch.journal == ["job"])
    }

    @Test("without a BackgroundWork, registering says what to do")
    func none() async throws {
        let watch = Watch()
        let router = makeRouter()
        router.get("x") { _, _ in
            do {
                try RequestStore.afterResponse("mail") {}
            } catch {
                watch.note("\(error)")
            }
            return "x"
        }
        try await Application(router: router, requestStore: .http1()).test(.router) { client in
            try await client.execute(uri: "/x", method: .get) { _ in }
        }
        #expect(watch.journal.count == 1 && watch.journal[0].contains("give the adapter a `BackgroundWork`"))
    }

    @Test("it runs with app.test(.router), too")
    func withoutChannel() async throws {
        let work = BackgroundWork()
        let watch = Watch()
        let router = makeRouter()
        router.get("x") { _, _ in
            try RequestStore.afterResponse("job") { watch.note("job") }
            return "x"
        }
        try await Application(router: router, requestStore: .http1(background: work)).test(.router) { client in
            try await client.execute(uri: "/x", method: .get) { _ in }
        }
        #expect(watch.journal == ["job"])
    }

    // MARK: - Shutdown

    /// What jobs use: it can be used until its service has ended.
    private final class Pool: Service {
        private let watch: Watch
        private let isOpen = Mutex(true)

        init(_ watch: Watch) { self.watch = watch }

        func use(_ name: String) { watch.note("\(name), \(isOpen.withLock { $0 ? "open" : "closed" })") }

        func run() async throws {
            try await gracefulShutdown()
            isOpen.withLock { $0 = false }
            watch.note("pool ends")
        }
    }

    /// Serves one request, with the pool as a service, and shuts down while it is served.
    private func shutDown(
        _ work: BackgroundWork,
        _ watch: Watch,
        _ job: @escaping @Sendable (Pool) async throws -> Void
    ) async throws {
        let pool = Pool(watch)
        let groups = AsyncStream<ServiceGroup>.makeStream()
        let router = makeRouter()
        router.get("last") { _, _ in
            for await group in groups.stream {
                await group.triggerGracefulShutdown()
                break
            }
            try RequestStore.afterResponse("job") { try await job(pool) }
            return "last"
        }
        let (ports, continuation) = AsyncThrowingStream<Int, any Error>.makeStream()
        let app = Application(
            router: router,
            requestStore: .http1(background: work),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            services: [pool],
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await withRunning(app, ports, continuation) { port, group in
            let client = try await RawClient.connect(to: port)
            groups.continuation.yield(group)
            try await client.get("/last")
            let response = try await client.response()
            #expect(response.body == "last")
            try await client.close()
        }
    }

    @Test("on shutdown the last request's job still has the application's services, which end when it has")
    func shutdownOrder() async throws {
        let watch = Watch()
        try await shutDown(BackgroundWork(), watch) { pool in
            pool.use("begin")
            // The server has ended, and the work has been told.
            try await gracefulShutdown()
            for _ in 0..<100 { await Task.yield() }
            pool.use("end")
        }
        #expect(watch.journal == ["begin, open", "end, open", "pool ends"])
    }

    @Test("a job that ignores its cancellation does not keep the application from shutting down")
    func deafJob() async throws {
        let watch = Watch()
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        let work = BackgroundWork(limits: .init(drain: .milliseconds(1), grace: .milliseconds(10)))
        try await shutDown(work, watch) { pool in
            // Not a child task, so that no cancellation reaches it.
            await Task { for await _ in stream { break } }.value
            pool.use("at last")
        }
        #expect(watch.journal == ["pool ends"])
        #expect(work.counts.running == 1)
        continuation.yield()
        while work.counts.running > 0 { await Task.yield() }
        #expect(watch.journal == ["pool ends", "at last, closed"])
    }
}
#endif
