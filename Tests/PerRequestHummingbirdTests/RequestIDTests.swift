#if Hummingbird
import Hummingbird
import Logging
import NIOCore
import PerRequest
import PerRequestHummingbird
import PerRequestTestSupport
import Testing

private let name = RequestLocal<String?>("name")

@Suite("A request has one id, which is Hummingbird's", .timeLimit(.minutes(3)))
struct RequestIDTests {
    /// Runs one request, and returns what the route noted and the lines of the log.
    private func lines(
        background: BackgroundWork? = nil,
        route: @escaping @Sendable (TestContext, Watch) async throws -> Response
    ) async throws -> (notes: [String], lines: [(level: Logger.Level, text: String)]) {
        let (watch, lines) = (Watch(), LogCollector.Lines())
        let router = makeRouter()
        router.get("/") { _, context in
            watch.note(context.id)
            return try await route(context, watch)
        }
        let logger = Logger(label: "test") { _ in LogCollector(lines) }
        try await withServer(router, observers: [watch], background: background, logger: logger) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/", headers: ["Connection": "close"])
            _ = try await client.rest()
            _ = await watch.nextOutcome()
        }
        return (watch.journal, lines.all)
    }

    private func release(_ body: @escaping @Sendable () throws -> Void) -> RequestResource<Int> {
        RequestResource("resource") {
            1
        } release: { _, _ in
            try body()
        }
    }

    @Test("in the store, its errors, its reports and its log; a child's names it")
    func oneID() async throws {
        let failing = release { throw TestError("release") }
        let (notes, lines) = try await lines { _, watch in
            _ = try await failing.get()
            watch.note(try #require(RequestStore.current).id)
            do { _ = try name.require() } catch { watch.note((error as? RequestStoreError)?.request ?? "-") }
            for _ in 0..<2 {
                try await withRequestStore(.child) { child in
                    watch.note(child.id)
                    try await withRequestStore(.child) { watch.note($0.id) }
                }
            }
            return Response(status: .ok)
        }
        let id = notes[0]
        #expect(notes == [id, id, id, "\(id)/1", "\(id)/2", "\(id)/3", "\(id)/4"])
        let report = try #require(lines.first { $0.text.contains("a release failed") }).text
        #expect(report.contains("request \(id): a release failed"))
        #expect(report.contains("hb.request.id=\(id)"))
    }

    @Test("in a task that has outlived it, and its child")
    func escaped() async throws {
        let texts = Box<[String]>([])
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        let end = Task { for await _ in stream {} }
        let (notes, _) = try await lines { _, watch in
            func escape() -> Task<Void, Never> {
                Task {
                    await end.value
                    do { _ = try name.require() } catch { texts.update { $0.append("\(error)") } }
                }
            }
            let inChild = try await withRequestStore(.child) { child in
                try name.set("child")
                _ = escape()
                return child
            }
            // The child is over, the request is not.
            do { _ = try name.require(in: inChild) } catch { watch.note("\(error)") }
            _ = escape()
            return Response(status: .ok)
        }
        continuation.finish()
        while texts.value.count < 2 { await Task.yield() }
        let id = notes[0]
        #expect(notes[1].hasPrefix("request \(id)/1: \"name\", used at "))
        #expect(notes[1].hasSuffix("[childStoreEnded]"))
        #expect(
            Set(texts.value.map { String($0.prefix { $0 != "," }) }) == [
                "request \(id): \"name\"", "request \(id)/1: \"name\"",
            ]
        )
        #expect(texts.value.allSatisfy { $0.hasSuffix("[requestEnded]") })
    }

    @Test("in what a job logs: its logger is the request's, with its label and its metadata")
    func jobs() async throws {
        let (notes, lines) = try await lines(background: BackgroundWork()) { context, watch in
            watch.note(Logger.current.label)
            try RequestStore.afterResponse("mail") {
                Logger.current.info("\(Logger.current.label) \(RequestStore.current?.id ?? "-")")
                throw TestError("job")
            }
            return Response(status: .ok)
        }
        let id = notes[0]
        let line = try #require(lines.first { $0.level == .info && $0.text.contains("mail") }?.text)
        #expect(line == "test \(id)/mail hb.request.id=\(id)")
        let report = try #require(lines.first { $0.text.contains("the job \"mail\" failed") }?.text)
        #expect(report.contains("request \(id): the job \"mail\" failed"))
        #expect(report.hasSuffix("hb.request.id=\(id)"))
    }

    @Test("in the line that says what a streamed body threw, an error where the client is there")
    func bodyThrows() async throws {
        let (notes, lines) = try await lines { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "part"))
                    throw TestError("body")
                }
            )
        }
        let line = try #require(lines.first { $0.text.hasPrefix("The response's body failed") })
        #expect(line.level == .error)
        #expect(line.text.contains("error=\(TestError("body")) hb.request.id=\(notes[0])"))
    }

    @Test("in the line that says that the client left, which is for debugging")
    func clientLeaves() async throws {
        let (watch, lines) = (Watch(), LogCollector.Lines())
        let router = makeRouter()
        router.get("/") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    while true { try await writer.write(ByteBuffer(repeating: 0, count: 10_000)) }
                }
            )
        }
        let logger = Logger(label: "test") { _ in LogCollector(lines) }
        try await withServer(router, observers: [watch], logger: logger) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/")
            try await client.readSome()
            try await client.reset()
            #expect(await watch.nextOutcome()?.ending.name == "clientDisconnected")
        }
        let line = try #require(lines.all.first { $0.text.hasPrefix("The client left") })
        #expect(line.level == .debug)
        #expect(lines.errors.isEmpty)
    }
}
#endif
