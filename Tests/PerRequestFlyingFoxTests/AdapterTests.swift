#if FlyingFox
import FlyingFox
import Foundation
import PerRequest
import PerRequestAdapters
import PerRequestTestSupport
import PerRequestFlyingFox
import Testing

private let name = RequestLocal<String?>("name")

@Suite("The FlyingFox adapter", .timeLimit(.minutes(3)))
struct AdapterTests {
    @Test("Rule 3: the store is current in the handler, in every pull of the body and in releases")
    func currency() async throws {
        let watch = Watch()
        let resource = RequestResource("resource") {
            name.value
        } release: { _, _ in
            watch.note("release \(name.value ?? "-")")
        }
        let handler = inStore(watch) { request in
            try name.set(request.path)
            _ = try await resource.get()
            return HTTPResponse { number in
                await Task.yield()
                return number < 3 ? "\(try await resource.get() ?? "-") \(name.value ?? "-");" : nil
            }
        }
        try await withServer(handler) { port in
            let client = try await RawClient.connect(to: port)
            try await client.get("/alice")
            let body = try await client.response().body
            #expect(body == String(repeating: "/alice /alice;", count: 3))
            _ = await watch.nextOutcome()
        }
        #expect(watch.journal == ["release /alice"])
    }

    @Test("Rule 2: a server started inside a store, with fifty connections at once, keeps its requests apart")
    func isolation() async throws {
        let watch = Watch()
        let handler = inStore(watch) { request in
            #expect(name.value == nil)
            try name.set(request.path)
            return HTTPResponse { number in
                await Task.yield()
                return number < 3 ? "\(name.value ?? "-");" : nil
            }
        }
        try await withRequestStore { _ in
            try name.set("outer")
            try await withServer(handler) { port in
                try await withThrowingTaskGroup { group in
                    for number in 0..<50 {
                        group.addTask {
                            let client = try await RawClient.connect(to: port)
                            for request in 0..<3 {
                                let path = "/\(number)-\(request)"
                                try await client.get(path, headers: ["Connection": "keep-alive"])
                                let body = try await client.response().body
                                #expect(body == String(repeating: "\(path);", count: 3))
                            }
                            try await client.close()
                        }
                    }
                    try await group.waitForAll()
                }
                for _ in 0..<150 { _ = await watch.nextOutcome() }
            }
            #expect(name.value == "outer")
        }
        #expect(watch.counts == .init(opened: 150, closed: 150, acquired: 0, released: 0))
    }

    @Test("What goes over the wire is what FlyingFox sends without the adapter")
    func sameBytes() async throws {
        let plain = ClosureHTTPHandler { request in
            switch request.path {
            case "/buffered": HTTPResponse("buffered")
            case "/large": HTTPResponse(String(repeating: "0123456789", count: 10_000))
            case "/empty": HTTPResponse(statusCode: .ok)
            case "/nocontent": HTTPResponse(statusCode: .noContent)
            case "/counted": HTTPResponse(count: 15) { $0 < 3 ? "part;" : nil }
            case "/chunked": HTTPResponse { $0 < 3 ? "part;" : nil }
            // Looks like a chunk, in a chunk.
            case "/nested": HTTPResponse { $0 < 1 ? "5\r\nhello\r\n" : nil }
            case "/largechunks": HTTPResponse { $0 < 3 ? String(repeating: "x", count: 100_000) : nil }
            case "/throws": throw TestError()
            default: throw HTTPUnhandledError()
            }
        }
        let paths = [
            "/buffered", "/large", "/empty", "/nocontent", "/counted", "/chunked", "/nested", "/largechunks", "/throws",
            "/nowhere",
        ]
        func answers(_ handler: any HTTPHandler) async throws -> [String] {
            let answers = Box<[String]>([])
            try await withServer(handler) { port in
                for path in paths {
                    let client = try await RawClient.connect(to: port)
                    try await client.get(path, headers: ["Connection": "close"])
                    let answer = try await client.rest()
                    answers.update { $0.append(answer) }
                }
            }
            return answers.value
        }
        let ours = try await answers(RequestStoreHandler(plain))
        let theirs = try await answers(plain)
        #expect(ours == theirs)
        #expect(ours.count == paths.count)
        #expect(ours.allSatisfy { $0.hasPrefix("HTTP/1.1 ") })
    }

    @Test("Rule 22: a buffered body is not wrapped: its store is closed when the handler has returned")
    func bufferedIsClosed() async throws {
        let watch = Watch()
        let handler = inStore(watch) { _ in HTTPResponse("buffered") }
        let response = try await handler.handleRequest(request("/"))
        #expect(watch.counts.closed == 1)
        #expect(String(decoding: try await response.bodyData, as: UTF8.self) == "buffered")
    }

    @Test("Rule 21: a streamed response that nobody writes is closed as abandoned, which is nothing to report")
    func dropped() async throws {
        let watch = Watch()
        let resource = watch.resource("resource")
        let handler = inStore(watch, report: { watch.note("\($0)") }) { _ in
            _ = try await resource.get()
            return HTTPResponse { _ in "never" }
        }
        for _ in 0..<100 {
            _ = try await handler.handleRequest(request("/"))
            #expect(await watch.nextOutcome()?.ending.name == "abandoned")
        }
        #expect(watch.journal == Array(repeating: "resource current commit abandoned", count: 100))
        #expect(watch.counts == .init(opened: 100, closed: 100, acquired: 100, released: 100))
    }

    @Test("Rule 16: a commit that fails is a 500, one that overruns a 503")
    func failingCommit() async throws {
        let watch = Watch()
        let failing = RequestResource("failing", released: .beforeResponse) {
        } release: { _, outcome in
            watch.note("failing \(outcome.verdict)")
            throw TestError()
        }
        let hanging = RequestResource("hanging", released: .beforeResponse, limits: .init(release: .milliseconds(20))) {
        } release: { _, _ in
            // Ends when it is cancelled.
            try await Task.sleep(for: .seconds(3_600))
        }
        let handler = inStore(watch) { request in
            try await (request.path == "/fails" ? failing : hanging).get()
            return HTTPResponse("committed?")
        }
        try await withServer(handler) { port in
            for (path, status) in [("/fails", 500), ("/hangs", 503)] {
                let client = try await RawClient.connect(to: port)
                try await client.get(path)
                let response = try await client.response()
                #expect(response.status == status)
                #expect(response.body.isEmpty)
                let outcome = try #require(await watch.nextOutcome())
                #expect(outcome.verdict == .rollback)
                #expect(outcome.status == .http(status))
            }
        }
        #expect(watch.journal == ["failing commit"])
    }

    @Test("Rule 18: the handler's error leaves unchanged")
    func sameError() async {
        final class Unique: Error {}
        let error = Unique()
        let thrown = await #expect(throws: Unique.self) {
            try await inStore { _ in throw error }.handleRequest(request("/"))
        }
        #expect(thrown === error)
    }

    // MARK: - WebSockets

    /// Answers each message with the store's id and the messages so far, until "bye".
    private struct Chat: WSMessageHandler {
        let resource: RequestResource<String>

        func makeMessages(for client: AsyncStream<WSMessage>) async throws -> AsyncStream<WSMessage> {
            AsyncStream { continuation in
                Task {
                    for await message in client {
                        guard case .text(let text) = message, text != "bye" else { break }
                        _ = try await resource.get()
                        try name.set((name.value ?? "") + text)
                        continuation.yield(.text("<\(name.value ?? "-")>"))
                    }
                    continuation.finish()
                }
            }
        }
    }

    private func handshake(_ client: RawClient) async throws {
        try await client.send(
            """
            GET /chat HTTP/1.1\r
            Host: localhost\r
            Connection: Upgrade\r
            Upgrade: websocket\r
            Sec-WebSocket-Version: 13\r
            Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r
            \r

            """
        )
        #expect(try await client.read(through: "\r\n\r\n").contains("101"))
    }

    private func send(_ text: String, to client: RawClient) async throws {
        // A masked text frame whose mask is zero.
        try await client.send(bytes: [0x81, 0x80 | UInt8(text.utf8.count), 0, 0, 0, 0] + Array(text.utf8))
    }

    @Test("Rule 2: an upgrade ends its request; a socket has a store of its own until it is closed")
    func webSocket() async throws {
        let watch = Watch()
        let resource = watch.resource("resource")
        let base = WebSocketHTTPHandler.webSocket(Chat(resource: resource))
        let handler = inStore(watch) { request in
            try name.set("upgrade")
            return try await base.handleRequest(request)
        }
        try await withServer(handler) { port in
            let client = try await RawClient.connect(to: port)
            try await handshake(client)
            let upgrade = try #require(await watch.nextOutcome())
            #expect(upgrade.status == .http(101))
            #expect(upgrade.verdict == .commit)
            for (text, answer) in [("a", "<a>"), ("b", "<ab>")] {
                try await send(text, to: client)
                _ = try await client.read(through: answer)
            }
            try await send("bye", to: client)
            let socket = try #require(await watch.nextOutcome())
            #expect(socket.status == nil)
            #expect(socket.ending.name == "completed")
            try? await client.close()
        }
        #expect(watch.journal == ["resource current commit completed"])
        #expect(watch.counts == .init(opened: 2, closed: 2, acquired: 1, released: 1))
    }

    @Test("A socket whose client leaves closes its store")
    func webSocketClientLeaves() async throws {
        let watch = Watch()
        let resource = watch.resource("resource")
        let base = WebSocketHTTPHandler.webSocket(Chat(resource: resource))
        try await withServer(inStore(watch) { try await base.handleRequest($0) }) { port in
            let client = try await RawClient.connect(to: port)
            try await handshake(client)
            _ = await watch.nextOutcome()
            try await send("a", to: client)
            _ = try await client.read(through: "<a>")
            try await client.reset()
            let socket = try #require(await watch.nextOutcome())
            #expect(["completed", "abandoned"].contains(socket.ending.name))
        }
        #expect(watch.counts == .init(opened: 2, closed: 2, acquired: 1, released: 1))
    }

    @Test("Rule 15: a socket whose handler throws is rolled back")
    func refusedWebSocket() async throws {
        struct Refusing: WSHandler {
            let resource: RequestResource<String>

            func makeFrames(for client: AsyncThrowingStream<WSFrame, any Error>) async throws -> AsyncStream<WSFrame> {
                _ = try await resource.get()
                throw TestError()
            }
        }
        let watch = Watch()
        let resource = watch.resource("resource")
        let handler = inStore(watch) { _ in HTTPResponse(webSocket: Refusing(resource: resource)) }
        let response = try await handler.handleRequest(request("/"))
        guard case .webSocket(let socket) = response.payload else { throw TestError("no socket") }
        await #expect(throws: TestError()) { try await socket.makeFrames(for: AsyncThrowingStream { $0.finish() }) }
        #expect(await watch.nextOutcome()?.ending.name == "completed")
        #expect(await watch.nextOutcome()?.ending.name == "failed")
        #expect(watch.journal == ["resource current rollback failed"])
    }

    @Test("Rule 23: the adapter lists what it cannot hold")
    func unmetGuarantees() {
        #expect(RequestStoreHandler.unmetGuarantees.map(\.rule) == [1, 1, 2, 3, 3, 15, 19])
        #expect(RequestStoreHandler.unmetGuarantees.allSatisfy { !$0.explanation.isEmpty })
    }
}

private func request(_ path: String) -> HTTPRequest {
    HTTPRequest(method: .GET, version: .http11, path: path, query: [], headers: [:], body: Data())
}
#endif
