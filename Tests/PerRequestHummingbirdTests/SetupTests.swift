#if Hummingbird
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import PerRequest
import PerRequestTestSupport
import PerRequestHummingbird
import Testing

@Suite("Setting up the Hummingbird adapter", .timeLimit(.minutes(3)))
struct SetupTests {
    private static let name = RequestLocal<String?>("name")

    @Test("A router without the middleware is an error when the application starts")
    func noMiddleware() async throws {
        let router = Router(context: TestContext.self)
        router.get("/") { _, _ in "never" }
        let error = await #expect(throws: RequestStoreSetupError.self) {
            try await withServer(router) { _, _ in Issue.record("the server started") }
        }
        #expect("\(try #require(error))".contains("router.add(middleware: RequestStoreMiddleware())"))
    }

    @Test("The middleware in an application without the store fails every request, and says what to do")
    func noScope() async throws {
        let lines = LogCollector.Lines()
        let router = makeRouter()
        router.get("/") { _, _ in "never" }
        let app = Application(router: router, logger: Logger(label: "test") { _ in LogCollector(lines) })
        try await app.test(.live) { client in
            try await client.execute(uri: "/", method: .get) { #expect($0.status == .internalServerError) }
        }
        #expect(lines.errors.contains { $0.contains("Application(router: router, requestStore: .http1())") })
    }

    @Test("A route added before the middleware fails, and says what to do")
    func routeBeforeMiddleware() async throws {
        let lines = LogCollector.Lines()
        let router = Router(context: TestContext.self)
        router.get("early") { _, _ in "never" }
        router.add(middleware: RequestStoreMiddleware())
        router.get("late") { _, _ in "fine" }
        let logger = Logger(label: "test") { _ in LogCollector(lines) }
        try await withServer(router, logger: logger) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/early")
            #expect(try await client.response().status == 500)
            try await client.get("/late")
            #expect(try await client.response().body == "fine")
            try await client.close()
        }
        #expect(lines.errors.contains { $0.contains("GET /early was added to the router before") })
    }

    @Test("The check at start sends nothing past the middleware")
    func probe() async throws {
        let router = makeRouter()
        router.get("/") { _, _ in
            Issue.record("the check reached a handler")
            return ""
        }
        try await withServer(router) { _, _ in }
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
        return Application(router: router, requestStore: .http1(observer: watch))
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
        let responder = Application(router: router, requestStore: .http1(observer: watch)).responder
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
