#if Hummingbird
import HTTPTypes
import Hummingbird
import HummingbirdRouter
import HummingbirdTesting
import Logging
import NIOCore
import PerRequest
import PerRequestAdapters
import PerRequestTestSupport
import PerRequestHummingbird
import ServiceLifecycle
import Testing

@Suite("Setting up the Hummingbird adapter", .timeLimit(.minutes(3)))
struct SetupTests {
    private static let name = RequestLocal<String?>("name")

    /// A router of Hummingbird's, as it was set up before there was one of ours.
    @available(*, deprecated)
    @Test("Hummingbird's own router serves with the middleware for one more release, and says where it is missing")
    func deprecatedRouter() async throws {
        let lines = LogCollector.Lines()
        let watch = Watch()
        let router = Router(context: TestContext.self)
        router.get("early") { _, _ in "never" }
        router.add(middleware: RequestStoreMiddleware())
        router.get("late") { _, _ in "fine" }
        router.get("conflict") { _, _ -> String in throw HTTPError(.conflict) }
        let app = Application(
            router: router,
            requestStore: .http1(observers: [watch]),
            logger: Logger(label: "test") { _ in LogCollector(lines) }
        )
        try await app.test(.live) { client in
            for (path, status) in [("/early", 500), ("/late", 200), ("/conflict", 409), ("/nowhere", 404)] {
                try await client.execute(uri: path, method: .get) { #expect($0.status.code == status) }
            }
        }
        #expect(lines.errors.contains { $0.contains("GET /early did not pass RequestStoreMiddleware") })
        for verdict in [.rollback, .commit, .rollback, .commit] as [RequestOutcome.Verdict] {
            #expect(await watch.nextOutcome()?.verdict == verdict)
        }
    }

    @Test("A router made by RouterBuilder has the middleware first, and is checked at its first request")
    func routerBuilder() async throws {
        let lines = LogCollector.Lines()
        let watch = Watch()
        func application<Routes>(_ router: RouterBuilder<BuiltContext, Routes>) -> some ApplicationProtocol {
            Application(
                router: router,
                requestStore: .http1(observers: [watch]),
                logger: Logger(label: "test") { _ in LogCollector(lines) }
            )
        }
        let complete = RouterBuilder(context: BuiltContext.self) {
            RequestStoreMiddleware()
            Get("fine") { _, _ in "fine" }
            Get("conflict") { _, _ -> String in throw HTTPError(.conflict) }
        }
        try await application(complete).test(.live) { client in
            for (path, status) in [("/fine", 200), ("/conflict", 409), ("/nowhere", 404)] {
                try await client.execute(uri: path, method: .get) { #expect($0.status.code == status) }
            }
        }
        for verdict in [.commit, .rollback, .commit] as [RequestOutcome.Verdict] {
            #expect(await watch.nextOutcome()?.verdict == verdict)
        }
        #expect(lines.errors.isEmpty)
        let incomplete = RouterBuilder(context: BuiltContext.self) { Get("fine") { _, _ in "fine" } }
        try await application(incomplete).test(.live) { client in
            try await client.execute(uri: "/fine", method: .get) { #expect($0.status == .internalServerError) }
        }
        #expect(await watch.nextOutcome()?.verdict == .rollback)
        #expect(lines.errors.contains { $0.contains("GET /fine did not pass RequestStoreMiddleware") })
    }

    private struct BuiltContext: RouterRequestContext {
        var coreContext: CoreRequestContextStorage
        var routerContext = RouterBuilderContext()

        init(source: ApplicationRequestContextSource) { coreContext = .init(source: source) }
    }

    private struct FailingService: Service, CustomStringConvertible {
        var description: String { "pool" }

        func run() async throws { throw TestError("service") }
    }

    private typealias App = Application<RequestStoreResponder<RouterResponder<TestContext>>>

    /// The critical lines in the log of an application that stops before its server listens.
    private func critical(
        server: RequestStoreServer = .http1(),
        services: [any Service] = [],
        _ change: (inout App) -> Void = { _ in }
    ) async throws -> [String] {
        let lines = LogCollector.Lines()
        let (ports, continuation) = AsyncThrowingStream<Int, any Error>.makeStream()
        var app = Application(
            router: makeRouter(),
            requestStore: server,
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            services: services,
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) },
            logger: Logger(label: "test") { _ in LogCollector(lines) }
        )
        change(&app)
        let complete = app
        _ = await #expect(throws: TestError.self) {
            try await withRunning(complete, ports, continuation) { _, _ in }
        }
        return lines.all.filter { $0.level == .critical }.map(\.text)
    }

    @Test("What stops the application before its server listens is logged as critical, once, with its cause")
    func earlyStop() async throws {
        /// Lets the server not listen before a service has failed.
        @Sendable func wait() async throws { try await Task.sleep(for: .seconds(3_600)) }

        let process = try await critical { $0.beforeServerStarts { throw TestError("process") } }
        let service = try await critical(services: [FailingService()]) { $0.beforeServerStarts(perform: wait) }
        let added = try await critical { app in
            app.beforeServerStarts(perform: wait)
            app.addServices(FailingService())
        }
        let channel = try await critical(server: .channel { _ in throw TestError("channel") })
        func line(_ what: String, _ error: String) -> [String] {
            ["The application stops before its server listens: \(what) failed error=\(TestError(error))"]
        }
        #expect(process == line("what runs before the server starts", "process"))
        #expect(service == line("the service pool", "service"))
        #expect(added == service)
        #expect(channel == line("building its channel", "channel"))
    }

    /// Hummingbird's own group, whatever router it is.
    private func addGroup(to routes: some RouterMethods<TestContext>) {
        routes.group("plain").get("without") { _, _ in "plain" }
        routes.group("generic").add(middleware: Answering(with: .conflict)).get("hidden") { _, _ -> String in
            throw TestError()
        }
    }

    @Test("Rule 23: a route behind middleware of Hummingbird's own groups is a warning at start, and a guarantee unmet")
    func hiddenRoutes() async throws {
        let lines = LogCollector.Lines()
        let router = makeRouter()
        addGroup(to: router)
        addGroup(to: router.group("below"))
        let collection = RouteCollection(context: TestContext.self)
        collection.add(middleware: Answering(with: .conflict))
        _ = collection.on("listed", method: .get) { _, _ in "collected" }
        router.addRoutes(collection, atPath: "collection")
        let ours = RequestStoreRouteCollection(context: TestContext.self)
        addGroup(to: ours)
        router.addRoutes(ours, atPath: "ours")
        let hidden = [
            "GET /generic/hidden", "GET /below/generic/hidden", "GET /collection/listed", "GET /ours/generic/hidden",
        ]
        let entries = router.unmetGuarantees.dropFirst(RequestStoreServer.unmetGuarantees.count)
        #expect(entries.count == hidden.count)
        #expect(zip(entries, hidden).allSatisfy { $0.explanation.hasPrefix("\($1) was added") })
        #expect(entries.allSatisfy { $0.rule == 15 && $0.codePath == .middleware })
        try await withServer(router, logger: Logger(label: "test") { _ in LogCollector(lines) }) { _, _ in }
        let warnings = lines.all.filter { $0.level == .warning }.map(\.text)
        #expect(warnings.count == hidden.count)
        #expect(zip(warnings, hidden).allSatisfy { $0.hasPrefix("PerRequest: \($1) was added") })
    }

    // MARK: - `app.test(.router)`

    private func application(_ watch: Watch) -> some ApplicationProtocol {
        let resource = watch.resource("resource")
        let before = watch.resource("before", released: .beforeResponse)
        let router = makeRouter(options: .autoGenerateHeadEndpoints)
        router.get("streamed") { _, _ in
            #expect(Self.name.value == nil)
            try Self.name.set("mine")
            _ = try await (resource.get(), before.get())
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    await Task.yield()
                    watch.note("body \(Self.name.value ?? "-")")
                    try await writer.write(ByteBuffer(string: "streamed"))
                    try await writer.finish(nil)
                }
            )
        }
        router.get("bodythrows") { _, _ in
            _ = try await resource.get()
            return Response(status: .ok, body: ResponseBody { _ in throw TestError() })
        }
        router.get("conflict") { _, _ -> String in
            _ = try await resource.get()
            throw HTTPError(.conflict)
        }
        router.get("throws") { _, _ -> String in
            _ = try await resource.get()
            throw TestError()
        }
        router.get("nothing") { _, _ in
            _ = try await resource.get()
            return HTTPResponse.Status.noContent
        }
        return Application(router: router, requestStore: .http1(observers: [watch]))
    }

    @Test("Without a channel the store opens around the router and closes after the body")
    func fallback() async throws {
        let watch = Watch()
        // The store that is current here is not a store of the requests: it is not joined.
        try await withRequestStore { _ in
            try Self.name.set("outer")
            try await application(watch).test(.router) { client in
                try await client.execute(uri: "/streamed", method: .get) { response in
                    #expect(String(buffer: response.body) == "streamed")
                    #expect(response.headers[.contentLength] == nil)
                }
                try await client.execute(uri: "/streamed", method: .head) { #expect($0.status == .ok) }
                try await client.execute(uri: "/conflict", method: .get) { #expect($0.status == .conflict) }
                try await client.execute(uri: "/throws", method: .get) { #expect($0.status == .internalServerError) }
                try await client.execute(uri: "/nothing", method: .get) { #expect($0.status == .noContent) }
            }
            #expect(Self.name.value == "outer")
        }
        #expect(
            watch.journal == [
                "before current commit completed", "body mine", "resource current commit completed",
                "before current commit completed", "resource current commit completed",
                "resource current rollback failed", "resource current rollback failed",
                "resource current commit completed",
            ]
        )
        #expect(watch.counts == .init(opened: 5, closed: 5, acquired: 7, released: 7))
    }

    @Test("Rule 21: without a channel a body that nobody writes abandons its request, also with a transaction open")
    func fallbackDropped() async throws {
        let watch = Watch()
        let transaction = RequestResource<Int>.around("transaction") { use in try await use(1) }
        let router = makeRouter()
        router.get("dropped") { _, _ in
            _ = try await transaction.get()
            return "never written"
        }
        let responder = Application(router: router, requestStore: .http1(observers: [watch])).responder
        let outer = makeRouter()
        outer.get("/") { request, context in
            var head = request.head
            head.path = "/dropped"
            _ = try await responder.respond(to: Request(head: head, body: request.body), context: context)
            return "done"
        }
        try await withServer(outer) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/")
            #expect(try await client.response().body == "done")
            #expect(await watch.nextOutcome()?.ending.name == "abandoned")
            try await client.close()
        }
        #expect(watch.counts == .init(opened: 1, closed: 1, acquired: 1, released: 1))
    }

    @Test("Without a channel a body that throws closes the store too")
    func fallbackBodyThrows() async throws {
        let watch = Watch()
        _ = try? await application(watch).test(.router) { client in
            try await client.execute(uri: "/bodythrows", method: .get) { _ in }
        }
        #expect(watch.journal == ["resource current commit failed"])
    }
}
#endif
