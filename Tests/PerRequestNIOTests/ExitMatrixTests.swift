#if NIO
import NIOCore
import NIOHTTP1
import PerRequest
import PerRequestTestSupport
import PerRequestNIO
import Testing

/// Every way out of a request in a loop over a `NIOAsyncChannel`, with 0, 1 and 3 resources: opened and closed once,
/// released once, last first, with the right outcome, the store current in the release, and nothing held after.
@Suite("Rule 1: the exit matrix of a NIOAsyncChannel on a real socket", .serialized, .timeLimit(.minutes(3)))
struct ExitMatrixTests {
    static let counts = [0, 1, 3]

    /// A handler that uses `count` resources and leaves in all ways.
    struct Fixture: Sendable {
        let watch = Watch()
        let count: Int

        func handler() -> TestHandler {
            let resources = (0..<count).map {
                watch.resource("\($0)", released: $0 == 1 ? .beforeResponse : .afterResponse)
            }
            return { path, channel in
                for resource in resources { _ = try await resource.get() }
                switch path {
                case "/throws": throw TestError()
                case "/streamed":
                    return TestResponse { write in
                        #expect(RequestStore.current?.isClosed == false)
                        for _ in 0..<3 {
                            await Task.yield()
                            try await write("part;")
                        }
                    }
                case "/bodythrows":
                    return TestResponse { write in
                        try await write("part;")
                        throw TestError("body")
                    }
                case "/endless":
                    return TestResponse { write in
                        while true {
                            try await write(String(repeating: "x", count: 1_000))
                            await Task.yield()
                        }
                    }
                case "/untilgone":
                    watch.handlerIsAtWork()
                    try await channel.closeFuture.get()
                    return TestResponse(.ok, "nobody reads this")
                default:
                    guard let code = Int(path.dropFirst()) else { return TestResponse(.ok, "buffered") }
                    return TestResponse(HTTPResponseStatus(statusCode: code))
                }
            }
        }

        /// What the releases note: the resource of the earlier point first, the others last acquired first.
        func releases(
            _ verdict: RequestOutcome.Verdict,
            before: String = "completed",
            _ ending: String
        ) -> [String] {
            let order = count == 3 ? ["1", "2", "0"] : (0..<count).reversed().map { "\($0)" }
            return order.map { "\($0) current \(verdict) \($0 == "1" ? before : ending)" }
        }

        func expectBalance(requests: Int, sourceLocation: SourceLocation = #_sourceLocation) {
            let resources = requests * count
            #expect(
                watch.counts == .init(opened: requests, closed: requests, acquired: resources, released: resources),
                sourceLocation: sourceLocation
            )
        }
    }

    private func exit(
        _ path: String,
        count: Int,
        status: Int,
        verdict: RequestOutcome.Verdict,
        before: String = "completed",
        ending: String
    ) async throws -> String {
        let fixture = Fixture(count: count)
        let body = Box("")
        try await withAsyncServer(observers: [fixture.watch], fixture.handler()) { port in
            let client = try await RawClient.connect(to: port)
            try await client.get(path)
            let response = try await client.response()
            #expect(response.status == status)
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == verdict)
            #expect(outcome.status == .http(status))
            #expect(outcome.ending.name == ending)
            body.update { $0 = response.body }
            try await client.close()
        }
        #expect(fixture.watch.journal == fixture.releases(verdict, before: before, ending))
        fixture.expectBalance(requests: 1)
        return body.value
    }

    @Test("returns", arguments: counts)
    func returns(count: Int) async throws {
        #expect(try await exit("/", count: count, status: 200, verdict: .commit, ending: "completed") == "buffered")
    }

    @Test("returns a 404", arguments: counts)
    func returnsNotFound(count: Int) async throws {
        _ = try await exit("/404", count: count, status: 404, verdict: .commit, ending: "completed")
    }

    @Test("returns a 500", arguments: counts)
    func returnsFailure(count: Int) async throws {
        _ = try await exit("/500", count: count, status: 500, verdict: .rollback, ending: "completed")
    }

    @Test("throws", arguments: counts)
    func throwsError(count: Int) async throws {
        _ = try await exit("/throws", count: count, status: 500, verdict: .rollback, before: "failed", ending: "failed")
    }

    @Test("streams", arguments: counts)
    func streams(count: Int) async throws {
        let body = try await exit("/streamed", count: count, status: 200, verdict: .commit, ending: "completed")
        #expect(body == "part;part;part;")
    }

    @Test("the streamed body throws", arguments: counts)
    func bodyThrows(count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withAsyncServer(observers: [fixture.watch], fixture.handler()) { port in
            let client = try await RawClient.connect(to: port)
            try await client.get("/bodythrows")
            _ = try await client.read(through: "part;")
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == .commit, "nothing after settling changes the verdict")
            guard case .failed(let error) = outcome.ending else { Issue.record("\(outcome)"); return }
            #expect(error as? TestError == TestError("body"))
            _ = try? await client.rest()
        }
        #expect(fixture.watch.journal == fixture.releases(.commit, "failed"))
        fixture.expectBalance(requests: 1)
    }

    enum Leaving: CaseIterable { case reset, close }

    @Test("the client leaves mid-body, by reset and by closing", arguments: counts, Leaving.allCases)
    func leavesMidBody(count: Int, leaving: Leaving) async throws {
        let fixture = Fixture(count: count)
        try await withAsyncServer(observers: [fixture.watch], fixture.handler()) { port in
            let client = try await RawClient.connect(to: port)
            try await client.get("/endless")
            _ = try await client.read(through: "xxxxx")
            try await leaving == .reset ? client.reset() : client.close()
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == .commit)
            #expect(outcome.ending.name == "clientDisconnected")
        }
        #expect(fixture.watch.journal == fixture.releases(.commit, "clientDisconnected"))
        fixture.expectBalance(requests: 1)
    }

    @Test("the client leaves before the head", arguments: counts)
    func leavesBeforeHead(count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withAsyncServer(observers: [fixture.watch], fixture.handler()) { port in
            let client = try await RawClient.connect(to: port)
            try await client.get("/untilgone")
            await fixture.watch.untilHandlerIsAtWork()
            try await client.reset()
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == .commit)
            #expect(outcome.ending.name == "clientDisconnected")
        }
        #expect(fixture.watch.journal == fixture.releases(.commit, "clientDisconnected"))
        fixture.expectBalance(requests: 1)
    }

    @Test("keep-alive: three requests on one connection; pipelined: in one packet", arguments: counts, [false, true])
    func keepAlive(count: Int, pipelined: Bool) async throws {
        let fixture = Fixture(count: count)
        try await withAsyncServer(observers: [fixture.watch], fixture.handler()) { port in
            let client = try await RawClient.connect(to: port)
            let paths = ["/streamed", "/throws", "/"]
            let requests = paths.map { "GET \($0) HTTP/1.1\r\nHost: localhost\r\n\r\n" }
            if pipelined { try await client.send(requests.joined()) }
            for (request, status) in zip(requests, [200, 500, 200]) {
                if !pipelined { try await client.send(request) }
                #expect(try await client.response().status == status)
                _ = await fixture.watch.nextOutcome()
            }
            try await client.close()
        }
        #expect(
            fixture.watch.journal
                == fixture.releases(.commit, "completed") + fixture.releases(.rollback, before: "failed", "failed")
                + fixture.releases(.commit, "completed")
        )
        fixture.expectBalance(requests: 3)
    }

    @Test("the server is cancelled mid-body", arguments: counts)
    func serverCancelled(count: Int) async throws {
        let fixture = Fixture(count: count)
        let started = AsyncStream<Void>.makeStream()
        let task = Task {
            try await withAsyncServer(observers: [fixture.watch], fixture.handler()) { port in
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
        #expect(["cancelled", "clientDisconnected"].contains(outcome.ending.name))
        _ = try? await task.value
        #expect(fixture.watch.journal == fixture.releases(.commit, outcome.ending.name))
        fixture.expectBalance(requests: 1)
    }
}
#endif
