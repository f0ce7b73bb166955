#if Hummingbird
import Hummingbird
import NIOCore
import NIOHTTP1
import PerRequest
import PerRequestHummingbird
import PerRequestTestSupport
import Testing

/// A client that leaves, wherever that comes out as an error, and what only looks like it.
@Suite("Rule 19: a client that leaves is told from every other end", .timeLimit(.minutes(3)))
struct ClientLeavingTests {
    private static let hour = Duration.seconds(3_600)

    private static let upload = "Host: localhost\r\nContent-Length: 10\r\n\r\n12345"
    private static let chunkedUpload = "Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"

    private static func router(_ watch: Watch) -> RequestStoreRouter<TestContext> {
        let use = watch.useBoth()
        let router = makeRouter()
        router.get("handler") { request, _ -> String in
            try await use()
            return try await request.body.consumeWithCancellationOnInboundClose { _ in
                watch.handlerIsAtWork()
                try await Task.sleep(for: hour)
                return "nobody reads this"
            }
        }
        router.get("body") { request, _ in
            try await use()
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    // The writer goes to the operation and nowhere else.
                    nonisolated(unsafe) var writer = writer
                    try await request.body.consumeWithCancellationOnInboundClose { _ in
                        try await writer.write(ByteBuffer(string: "part;"))
                        try await Task.sleep(for: hour)
                    }
                    try await writer.finish(nil)
                }
            )
        }
        router.post("collect") { request, _ in
            try await use()
            watch.handlerIsAtWork()
            return try await request.body.collect(upTo: 1_000)
        }
        router.post("echo") { request, _ in
            try await use()
            watch.handlerIsAtWork()
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    try await writer.write(request.body)
                    try await writer.finish(nil)
                }
            )
        }
        router.get("own") { _, _ -> String in
            try await use()
            throw CancellationError()
        }
        router.get("ownbody") { _, _ in
            try await use()
            return Response(status: .ok, body: ResponseBody { _ in throw CancellationError() })
        }
        router.get("timeout") { _, _ in
            try await use()
            // As a time limit does: the operation is cancelled, the request is not.
            return try await withThrowingTaskGroup(of: String.self) { group in
                group.addTask {
                    try await Task.sleep(for: hour)
                    return "never"
                }
                group.cancelAll()
                return try await group.next() ?? "-"
            }
        }
        router.get("foreign") { _, _ -> String in
            try await use()
            throw ChannelError.ioOnClosedChannel
        }
        return router
    }

    /// Sends a request, leaves or has the server leave, and expects how it ends.
    private func expect(
        _ ending: String,
        _ verdict: RequestOutcome.Verdict,
        of request: String,
        then leave: (RawClient, Watch) async throws -> Void
    ) async throws -> RequestOutcome {
        let watch = Watch()
        let outcome = try await withServer(Self.router(watch), observers: [watch]) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.send(request)
            try await leave(client, watch)
            let outcome = try #require(await watch.nextOutcome())
            try? await client.close()
            return outcome
        }
        #expect(outcome.ending.name == ending)
        #expect(outcome.verdict == verdict)
        #expect(watch.journal == Watch.journal(ofBoth: ending, verdict))
        #expect(watch.counts == .ofBoth)
        return outcome
    }

    @Test("while a handler works that Hummingbird ends then", arguments: Leaving.allCases)
    func handler(leaving: Leaving) async throws {
        _ = try await expect("clientDisconnected", .rollback, of: "GET /handler HTTP/1.1\r\nHost: localhost\r\n\r\n") {
            await $1.untilHandlerIsAtWork()
            try await leaving.perform($0)
        }
    }

    @Test("while a streamed body is made that Hummingbird ends then", arguments: Leaving.allCases)
    func body(leaving: Leaving) async throws {
        _ = try await expect("clientDisconnected", .commit, of: "GET /body HTTP/1.1\r\nHost: localhost\r\n\r\n") {
            _ = try await $0.read(through: "part;")
            // `Watch` is not asked: the client has seen the body begin.
            _ = $1
            try await leaving.perform($0)
        }
    }

    @Test(
        "in the middle of an upload that the handler collects",
        arguments: Leaving.allCases,
        [upload, chunkedUpload]
    )
    func collectedUpload(leaving: Leaving, upload: String) async throws {
        _ = try await expect("clientDisconnected", .rollback, of: "POST /collect HTTP/1.1\r\n" + upload) {
            await $1.untilHandlerIsAtWork()
            try await leaving.perform($0)
        }
    }

    @Test(
        "in the middle of an upload that a streamed body reads",
        arguments: Leaving.allCases,
        [upload, chunkedUpload]
    )
    func streamedUpload(leaving: Leaving, upload: String) async throws {
        _ = try await expect("clientDisconnected", .commit, of: "POST /echo HTTP/1.1\r\n" + upload) {
            _ = try await $0.read(through: "12345")
            _ = $1
            try await leaving.perform($0)
        }
    }

    // MARK: - What is none

    @Test("a handler's own CancellationError is a failure", arguments: ["own", "timeout"])
    func ownCancellation(path: String) async throws {
        let request = "GET /\(path) HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let outcome = try await expect("failed", .rollback, of: request) { _, _ in }
        guard case .failed(let error) = outcome.ending else { return }
        #expect(error is CancellationError)
    }

    @Test("a streamed body's own CancellationError is a failure")
    func ownCancellationInBody() async throws {
        _ = try await expect("failed", .commit, of: "GET /ownbody HTTP/1.1\r\nHost: localhost\r\n\r\n") { _, _ in }
    }

    @Test("an error of another connection is a failure")
    func foreignError() async throws {
        _ = try await expect("failed", .rollback, of: "GET /foreign HTTP/1.1\r\nHost: localhost\r\n\r\n") { _, _ in }
    }

    @Test("an upload that is no HTTP is a failure while its client is there")
    func malformedUpload() async throws {
        let request = "POST /collect HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n"
        let outcome = try await expect("failed", .rollback, of: request) { _, _ in }
        guard case .failed(let error) = outcome.ending else { return }
        #expect(error is HTTPParserError)
    }

    @Test(
        "a server that is cancelled cancels, wherever the request is",
        arguments: [
            "GET /handler HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /body HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "POST /collect HTTP/1.1\r\n" + upload, "POST /echo HTTP/1.1\r\n" + upload,
        ]
    )
    func serverCancelled(request: String) async throws {
        let watch = Watch()
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let server = Task {
            try await withServer(Self.router(watch), observers: [watch]) { port, _ in
                continuation.yield(port)
                try await Task.sleep(for: Self.hour)
            }
        }
        let port = try #require(await ports.first { _ in true })
        let client = try await RawClient.connect(to: port)
        try await client.send(request)
        switch request {
        case _ where request.contains("/body"): _ = try await client.read(through: "part;")
        case _ where request.contains("/echo"): _ = try await client.read(through: "12345")
        default: await watch.untilHandlerIsAtWork()
        }
        server.cancel()
        let outcome = try #require(await watch.nextOutcome())
        #expect(outcome.ending.name == "cancelled")
        _ = try? await server.value
        try? await client.close()
        #expect(watch.counts == .ofBoth)
    }
}
#endif
