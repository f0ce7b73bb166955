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

private let name = RequestLocal<String?>("name")

@Suite("The Hummingbird adapter", .timeLimit(.minutes(3)))
struct AdapterTests {
    /// A middleware that sets the name from the request's `X-Name` and sees it unchanged on the way back.
    private struct NameMiddleware<Context: RequestContext>: RouterMiddleware {
        func handle(
            _ request: Request,
            context: Context,
            next: @concurrent (Request, Context) async throws -> Response
        ) async throws -> Response {
            let given = request.headers[HTTPField.Name("X-Name")!]
            try name.set(given)
            let response = try await next(request, context)
            #expect(name.value == given)
            return response
        }
    }

    @Test("Rule 3: the store is current in middleware both ways, handler, error handling, body and releases")
    func currency() async throws {
        struct Mapped: HTTPResponseError {
            var status: HTTPResponse.Status { .conflict }

            func response(from request: Request, context: some RequestContext) throws -> Response {
                Response(status: status, body: .init(byteBuffer: ByteBuffer(string: name.value ?? "-")))
            }
        }
        let watch = Watch()
        let resource = RequestResource("resource") {
            name.value
        } release: { _, _ in
            watch.note(name.value ?? "-")
        }
        let router = makeRouter()
        router.add(middleware: NameMiddleware())
        router.get("streamed") { _, _ in
            let inHandler = try await resource.get() ?? "-"
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    await Task.yield()
                    try await writer.write(ByteBuffer(string: "\(inHandler) \(name.value ?? "-")"))
                    try await writer.finish(nil)
                }
            )
        }
        router.get("error") { _, _ -> String in
            _ = try await resource.get()
            throw Mapped()
        }
        try await withServer(router, observers: [watch]) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/streamed", headers: ["X-Name": "alice"])
            #expect(try await client.response().body == "alice alice")
            _ = await watch.nextOutcome()
            try await client.get("/error", headers: ["X-Name": "bob"])
            #expect(try await client.response().body == "bob")
            _ = await watch.nextOutcome()
            try await client.close()
        }
        #expect(watch.journal == ["alice", "bob"])
    }

    @Test("Rule 2: a server started inside a store keeps its requests apart")
    func serverInsideStore() async throws {
        let router = makeRouter()
        router.get("/") { _, _ in
            let seen = name.value ?? "nothing"
            try name.set("request")
            return "\(seen) \(RequestStore.current?.id ?? "-")"
        }
        try await withRequestStore { outer in
            try name.set("outer")
            try await withServer(router) { port, _ in
                let client = try await RawClient.connect(to: port)
                var ids = Set<String>()
                for _ in 0..<3 {
                    try await client.get("/")
                    let words = try await client.response().body.split(separator: " ").map(String.init)
                    #expect(words.first == "nothing")
                    ids.insert(words.last ?? "")
                }
                #expect(ids.count == 3)
                #expect(!ids.contains(outer.id))
                try await client.close()
            }
            #expect(name.value == "outer")
        }
    }

    @Test("Rule 2: a request sent through the application's own responder within a request is another request")
    func requestInsideRequest() async throws {
        let watch = Watch()
        let router = makeRouter()
        router.get("inner") { _, _ in name.value ?? "nothing" }
        let inner = Application(router: router, requestStore: .http1(observers: [watch])).responder
        let outerRouter = makeRouter()
        outerRouter.get("/") { request, context in
            try name.set("outer")
            var head = request.head
            head.path = "/inner"
            let request = Request(head: head, body: request.body)
            let response = try await inner.respond(to: request, context: context)
            #expect(name.value == "outer")
            return response
        }
        try await withServer(outerRouter, observers: [watch]) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/")
            #expect(try await client.response().body == "nothing")
            for _ in 0..<2 { _ = await watch.nextOutcome() }
            try await client.close()
        }
        #expect(watch.counts == .init(opened: 2, closed: 2, acquired: 0, released: 0))
    }

    @Test("What goes over the wire is what Hummingbird sends without the adapter", arguments: ["GET", "HEAD"])
    func sameBytes(method: String) async throws {
        func addRoutes(to router: some RouterMethods<TestContext>) {
            router.get("buffered") { _, _ in "buffered" }
            router.get("empty") { _, _ in Response(status: .ok) }
            router.get("nocontent") { _, _ in HTTPResponse.Status.noContent }
            router.get("length") { _, _ in
                Response(
                    status: .ok,
                    body: ResponseBody(contentLength: 5) { writer in
                        try await writer.write(ByteBuffer(string: "12345"))
                        try await writer.finish(nil)
                    }
                )
            }
            router.get("streamed") { _, _ in
                Response(
                    status: .ok,
                    body: ResponseBody { writer in
                        try await writer.write(ByteBuffer(string: "part"))
                        try await writer.finish(nil)
                    }
                )
            }
            router.get("conflict") { _, _ -> String in throw HTTPError(.conflict, message: "taken") }
            router.get("throws") { _, _ -> String in throw TestError() }
        }
        let paths = ["/buffered", "/empty", "/nocontent", "/length", "/streamed", "/conflict", "/throws", "/nowhere"]
        @Sendable func exchange(_ port: Int) async throws -> [String] {
            var answers: [String] = []
            for path in paths {
                let client = try await RawClient.connect(to: port)
                try await client.get(path, method: method, headers: ["Connection": "close"])
                let lines = try await client.rest().split(separator: "\r\n")
                answers.append(lines.filter { !$0.hasPrefix("Date:") }.joined(separator: "\n"))
            }
            return answers
        }
        let router = makeRouter(options: .autoGenerateHeadEndpoints)
        addRoutes(to: router)
        let ours = try await withServer(router) { port, _ in try await exchange(port) }

        let plain = Router(context: TestContext.self, options: .autoGenerateHeadEndpoints)
        addRoutes(to: plain)
        let (ports, continuation) = AsyncThrowingStream<Int, any Error>.makeStream()
        let app = Application(
            router: plain,
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let theirs = try await withRunning(app, ports, continuation) { port, _ in try await exchange(port) }
        #expect(ours == theirs)
        #expect(ours.count == paths.count)
    }

    @Test("Rule 16: a failing release before the response gives a 500, an overrun a 503, and rolls the rest back")
    func failingRelease() async throws {
        let watch = Watch()
        let first = watch.resource("first", released: .beforeResponse)
        let failing = RequestResource("failing", released: .beforeResponse) {
            1
        } release: { _, _ in
            throw TestError()
        }
        let hanging = RequestResource("hanging", released: .beforeResponse, limits: .init(release: .milliseconds(20))) {
            1
        } release: { _, _ in
            // Ends when it is cancelled.
            try await Task.sleep(for: .seconds(3_600))
        }
        let router = makeRouter()
        router.get("fails") { _, _ in
            _ = try await (first.get(), failing.get())
            return Response(status: .created, headers: [.location: "/somewhere"])
        }
        router.get("hangs") { _, _ in
            _ = try await (first.get(), hanging.get())
            return "done"
        }
        let failureResponse: RequestStoreServer.FailureResponse = { error, intended, status in
            #expect(RequestStore.current?.id == error.request)
            return Response(status: status, headers: [.retryAfter: "\(intended.status.code)"])
        }
        try await withServer(router, observers: [watch], failureResponse: failureResponse) { port, _ in
            let client = try await RawClient.connect(to: port)
            for (path, intended, status) in [("/fails", 201, 500), ("/hangs", 200, 503)] {
                try await client.get(path)
                let response = try await client.response()
                #expect(response.status == status)
                #expect(response.headers["retry-after"] == "\(intended)")
                #expect(response.headers["location"] == nil)
                let outcome = try #require(await watch.nextOutcome())
                #expect(outcome.status == .http(status))
                #expect(outcome.verdict == .rollback)
            }
            try await client.close()
        }
        #expect(watch.journal == Array(repeating: "first current rollback completed", count: 2))
    }

    @Test("A resource that cannot be acquired in time is a 503, another store error a 500, both in the log")
    func storeErrors() async throws {
        let lines = LogCollector.Lines()
        let slow = RequestResource("slow", limits: .init(acquire: .milliseconds(20))) {
            try await Task.sleep(for: .seconds(3_600))
        } release: { _, _ in
        }
        let router = makeRouter()
        router.get("slow") { _, _ in
            try await slow.get()
            return "never"
        }
        router.get("unset") { _, _ in try name.require() }
        try await withServer(router, logger: Logger(label: "test") { _ in LogCollector(lines) }) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/slow")
            #expect(try await client.response().status == 503)
            try await client.get("/unset")
            #expect(try await client.response().status == 500)
            try await client.close()
        }
        #expect(lines.errors.count == 2, "\(lines.errors)")
        #expect(lines.errors.first?.contains(": it could not be acquired within 0.02 seconds") == true)
        #expect(lines.errors.last?.contains(": nothing has been set") == true)
    }

    @Test("Rule 16: what the handler reported stays the first error in the log")
    func firstError() async throws {
        let lines = LogCollector.Lines()
        let watch = Watch()
        let failing = RequestResource("failing", released: .beforeResponse) {
            1
        } release: { _, _ in
            throw TestError("release")
        }
        let router = makeRouter()
        router.get("throws") { _, _ -> String in
            _ = try await failing.get()
            throw TestError("handler")
        }
        router.get("conflict") { _, _ -> String in
            _ = try await failing.get()
            throw HTTPError(.conflict)
        }
        router.get("returns") { _, context in
            _ = try await failing.get()
            context.logger.error("handler's own")
            return "done"
        }
        let logger = Logger(label: "test") { _ in LogCollector(lines) }
        try await withServer(router, observers: [watch], logger: logger) { port, _ in
            let client = try await RawClient.connect(to: port)
            for (path, status) in [("/throws", 500), ("/conflict", 409), ("/returns", 500)] {
                try await client.get(path)
                #expect(try await client.response().status == status)
                _ = await watch.nextOutcome()
            }
            try await client.close()
        }
        let errors = lines.errors
        #expect(errors.count == 6)
        #expect(errors.first?.contains("handler") == true)
        #expect(errors.dropFirst().first?.contains("release") == true)
        #expect(errors.dropFirst(2).first?.contains("HTTPError") == true)
        #expect(errors.dropFirst(4).first?.contains("handler's own") == true)
        #expect(errors.allSatisfy { $0.contains("hb.request.id=") })
    }

    @Test("`Logger.current` is the request's logger in handler, streamed body and release", arguments: [nil, 4])
    func logger(contentLength: Int?) async throws {
        let lines = LogCollector.Lines()
        let watch = Watch()
        let resource = RequestResource("resource") {
            1
        } release: { _, _ in
            Logger.current.info("release")
        }
        let router = makeRouter()
        router.get("/") { _, context in
            _ = try await resource.get()
            Logger.current.info("handler")
            let id = context.id
            return Response(
                status: .ok,
                body: ResponseBody(contentLength: contentLength) { writer in
                    await Task.yield()
                    var logger = Logger.current
                    #expect(logger[metadataKey: "hb.request.id"] == .stringConvertible(id))
                    #expect(logger.logLevel == .debug)
                    logger[metadataKey: "own"] = "yes"
                    logger.info("body")
                    logger.logLevel = .error
                    logger.info("not written")
                    try await writer.write(ByteBuffer(string: "done"))
                    try await writer.finish(nil)
                }
            )
        }
        var logger = Logger(label: "test") { _ in LogCollector(lines) }
        logger.logLevel = .debug
        try await withServer(router, observers: [watch], logger: logger) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/")
            _ = try await client.response()
            _ = await watch.nextOutcome()
            try await client.close()
        }
        let texts = lines.all.map(\.text).filter { text in
            ["handler", "body", "release"].contains { text.hasPrefix($0) }
        }
        #expect(texts.count == 3)
        #expect(Set(texts.map { $0.split(separator: "hb.request.id=").last?.prefix(8) }).count == 1)
        #expect(texts.filter { $0.contains("own=yes") }.count == 1)
        #expect(!lines.all.contains { $0.text.contains("not written") })
    }
}
#endif
