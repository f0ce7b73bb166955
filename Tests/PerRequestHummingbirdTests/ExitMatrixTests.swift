#if Hummingbird
import HTTPTypes
import Hummingbird
import NIOCore
import PerRequest
import PerRequestTestSupport
import PerRequestHummingbird
import ServiceLifecycle
import Testing

/// Every way out of a request, with 0, 1 and 3 resources: opened and closed once, released once, last first, with the
/// right outcome, the store current in the release, and nothing held after.
@Suite("Rule 1: the exit matrix on a real socket", .timeLimit(.minutes(3)))
struct ExitMatrixTests {
    static let counts = [0, 1, 3]

    /// A server whose routes use `count` resources and leave in all ways.
    struct Fixture: Sendable {
        let watch = Watch()
        let count: Int

        func resources() -> [RequestResource<String>] {
            (0..<count).map { watch.resource("\($0)", released: $0 == 1 ? .beforeResponse : .afterResponse) }
        }

        func router() -> RequestStoreRouter<TestContext> {
            let resources = resources()
            let router = makeRouter(options: .autoGenerateHeadEndpoints)
            @Sendable func use() async throws { for resource in resources { _ = try await resource.get() } }
            router.get("buffered") { _, _ in
                try await use()
                return "buffered"
            }
            router.get("status/:code") { _, context in
                try await use()
                return Response(status: .init(code: try context.parameters.require("code", as: Int.self)))
            }
            router.get("throws") { _, _ -> String in
                try await use()
                throw TestError()
            }
            router.get("conflict") { _, _ -> String in
                try await use()
                throw HTTPError(.conflict)
            }
            router.get("streamed") { _, _ in
                try await use()
                return Response(
                    status: .ok,
                    body: ResponseBody { writer in
                        #expect(RequestStore.current?.isClosed == false)
                        for _ in 0..<3 {
                            await Task.yield()
                            try await writer.write(ByteBuffer(string: "part;"))
                        }
                        try await writer.finish(nil)
                    }
                )
            }
            router.get("bodythrows") { _, _ in
                try await use()
                return Response(
                    status: .ok,
                    body: ResponseBody { writer in
                        try await writer.write(ByteBuffer(string: "part;"))
                        throw TestError("body")
                    }
                )
            }
            router.get("endless") { _, _ in
                try await use()
                return Response(
                    status: .ok,
                    body: ResponseBody { writer in
                        while true {
                            try await writer.write(ByteBuffer(string: String(repeating: "x", count: 1_000)))
                            await Task.yield()
                        }
                    }
                )
            }
            router.get("untilgone") { _, context in
                try await use()
                watch.note("handling")
                // Not cancelled when the client leaves: Hummingbird does not do that.
                try await context.channel.closeFuture.get()
                return "nobody reads this"
            }
            return router
        }

        /// What the releases note: the resource of the earlier point first, the others last acquired first.
        func releases(_ verdict: String, before: String = "completed", _ ending: String) -> [String] {
            let order = count == 3 ? ["1", "2", "0"] : (0..<count).reversed().map { "\($0)" }
            return order.map { "\($0) current \(verdict) \($0 == "1" ? before : ending)" }
        }

        func expectBalance(requests: Int, sourceLocation: SourceLocation = #_sourceLocation) {
            let resources = requests * count
            #expect(
                watch.counts
                    == .init(opened: requests, closed: requests, acquired: resources, released: resources),
                sourceLocation: sourceLocation
            )
        }
    }

    private func exit(
        _ path: String,
        count: Int,
        method: String = "GET",
        status: Int,
        verdict: RequestOutcome.Verdict,
        before: String = "completed",
        ending: String
    ) async throws -> RawResponse {
        let fixture = Fixture(count: count)
        let response = try await withServer(fixture.router(), observers: [fixture.watch]) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get(path, method: method)
            let response = try await client.response(to: method)
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == verdict)
            #expect(outcome.status == .http(status))
            #expect(outcome.ending.name == ending)
            try? await client.close()
            return response
        }
        #expect(response.status == status)
        #expect(fixture.watch.journal == fixture.releases("\(verdict)", before: before, ending))
        fixture.expectBalance(requests: 1)
        return response
    }

    @Test("returns", arguments: counts)
    func returns(count: Int) async throws {
        let response = try await exit("/buffered", count: count, status: 200, verdict: .commit, ending: "completed")
        #expect(response.body == "buffered")
        #expect(response.headers["content-length"] == "8")
    }

    @Test("returns 204, 304, an empty 200, and a 404", arguments: counts, [204, 304, 200, 404])
    func statuses(count: Int, status: Int) async throws {
        _ = try await exit("/status/\(status)", count: count, status: status, verdict: .commit, ending: "completed")
    }

    @Test("returns a 500", arguments: counts)
    func returnsFailure(count: Int) async throws {
        _ = try await exit("/status/500", count: count, status: 500, verdict: .rollback, ending: "completed")
    }

    @Test("throws", arguments: counts)
    func throwsError(count: Int) async throws {
        _ = try await exit("/throws", count: count, status: 500, verdict: .rollback, before: "failed", ending: "failed")
    }

    @Test("throws an error that is mapped to a 409", arguments: counts)
    func throwsMapped(count: Int) async throws {
        _ = try await exit(
            "/conflict",
            count: count,
            status: 409,
            verdict: .rollback,
            before: "failed",
            ending: "failed"
        )
    }

    @Test("matches no route, which is nobody's error", arguments: [0])
    func noRoute(count: Int) async throws {
        _ = try await exit(
            "/nowhere",
            count: count,
            status: 404,
            verdict: .commit,
            ending: "completed"
        )
    }

    @Test("HEAD drops the body of a buffered and a streamed response", arguments: counts, ["/buffered", "/streamed"])
    func head(count: Int, path: String) async throws {
        _ = try await exit(path, count: count, method: "HEAD", status: 200, verdict: .commit, ending: "completed")
    }

    @Test("streams", arguments: counts)
    func streams(count: Int) async throws {
        let response = try await exit("/streamed", count: count, status: 200, verdict: .commit, ending: "completed")
        #expect(response.body == "part;part;part;")
    }

    @Test("the streamed body throws", arguments: counts)
    func bodyThrows(count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withServer(fixture.router(), observers: [fixture.watch]) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/bodythrows")
            _ = try await client.read(through: "part;")
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == .commit, "nothing after settling changes the verdict")
            guard case .failed(let error) = outcome.ending else { Issue.record("\(outcome)"); return }
            #expect(error as? TestError == TestError("body"))
            _ = try? await client.rest()
        }
        #expect(fixture.watch.journal == fixture.releases("commit", "failed"))
        fixture.expectBalance(requests: 1)
    }

    enum Leaving: CaseIterable { case reset, close }

    @Test("the client leaves mid-body, by reset and by closing", arguments: counts, Leaving.allCases)
    func leavesMidBody(count: Int, leaving: Leaving) async throws {
        let fixture = Fixture(count: count)
        try await withServer(fixture.router(), observers: [fixture.watch]) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/endless")
            _ = try await client.read(through: "xxxxx")
            try await leaving == .reset ? client.reset() : client.close()
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == .commit)
            #expect(outcome.ending.name == "clientDisconnected")
        }
        #expect(fixture.watch.journal == fixture.releases("commit", "clientDisconnected"))
        fixture.expectBalance(requests: 1)
    }

    @Test("the client leaves before the head", arguments: counts)
    func leavesBeforeHead(count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withServer(fixture.router(), observers: [fixture.watch]) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/untilgone")
            while fixture.watch.journal.isEmpty { await Task.yield() }
            try await client.reset()
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == .commit)
            #expect(outcome.ending.name == "clientDisconnected")
        }
        #expect(fixture.watch.journal.dropFirst() == fixture.releases("commit", "clientDisconnected")[...])
        fixture.expectBalance(requests: 1)
    }

    @Test("the client half-closes and reads on", arguments: counts)
    func halfCloses(count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withServer(fixture.router(), observers: [fixture.watch]) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/streamed")
            try await client.halfClose()
            let response = try await client.response()
            #expect(response.body == "part;part;part;")
            #expect(await fixture.watch.nextOutcome()?.ending.name == "completed")
        }
        #expect(fixture.watch.journal == fixture.releases("commit", "completed"))
        fixture.expectBalance(requests: 1)
    }

    @Test("keep-alive: two requests on one connection", arguments: counts)
    func keepAlive(count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withServer(fixture.router(), observers: [fixture.watch]) { port, _ in
            let client = try await RawClient.connect(to: port)
            for path in ["/streamed", "/conflict", "/buffered"] {
                try await client.get(path)
                _ = try await client.response()
                _ = await fixture.watch.nextOutcome()
            }
            try await client.close()
        }
        #expect(
            fixture.watch.journal
                == fixture.releases("commit", "completed") + fixture.releases("rollback", before: "failed", "failed")
                + fixture.releases("commit", "completed")
        )
        fixture.expectBalance(requests: 3)
    }

    @Test("pipelined: three requests in one packet", arguments: counts)
    func pipelined(count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withServer(fixture.router(), observers: [fixture.watch]) { port, _ in
            let client = try await RawClient.connect(to: port)
            let request = { (path: String) in "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n" }
            try await client.send(request("/streamed") + request("/throws") + request("/buffered"))
            #expect(try await client.response().body == "part;part;part;")
            #expect(try await client.response().status == 500)
            #expect(try await client.response().body == "buffered")
            for _ in 0..<3 { _ = await fixture.watch.nextOutcome() }
            try await client.close()
        }
        #expect(
            fixture.watch.journal
                == fixture.releases("commit", "completed") + fixture.releases("rollback", before: "failed", "failed")
                + fixture.releases("commit", "completed")
        )
        fixture.expectBalance(requests: 3)
    }

    @Test("the server is cancelled mid-body", arguments: counts)
    func serverCancelled(count: Int) async throws {
        let fixture = Fixture(count: count)
        let started = AsyncStream<Void>.makeStream()
        let task = Task {
            try await withServer(fixture.router(), observers: [fixture.watch]) { port, _ in
                let client = try await RawClient.connect(to: port)
                try await client.get("/endless")
                _ = try await client.read(through: "xxxxx")
                started.continuation.finish()
                _ = try? await client.rest()
            }
        }
        for await _ in started.stream {}
        task.cancel()
        let outcome = try #require(await fixture.watch.nextOutcome())
        #expect(outcome.verdict == .commit)
        #expect(outcome.ending.name == "cancelled")
        _ = try? await task.value
        #expect(fixture.watch.journal == fixture.releases("commit", "cancelled"))
        fixture.expectBalance(requests: 1)
    }
}
#endif
