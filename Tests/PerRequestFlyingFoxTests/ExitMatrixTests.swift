#if FlyingFox
import FlyingFox
import Foundation
import PerRequest
import PerRequestTestSupport
import PerRequestFlyingFox
import Testing

/// Every way out of a request, with 0, 1 and 3 resources: opened and closed once, released once, last first, with the
/// outcome that FlyingFox lets an adapter know, the store current in the release, and nothing held after.
@Suite("Rule 1: the exit matrix on a real socket, as far as FlyingFox lets it", .serialized, .timeLimit(.minutes(3)))
struct ExitMatrixTests {
    static let counts = [0, 1, 3]

    /// A handler that uses `count` resources and leaves in all ways.
    struct Fixture: Sendable {
        let watch = Watch()
        let count: Int
        /// Ends when the test says that the client has gone.
        let clientHasGone = AsyncStream<Void>.makeStream()

        func handler() -> RequestStoreHandler {
            let resources = (0..<count).map {
                watch.resource("\($0)", released: $0 == 1 ? .beforeResponse : .afterResponse)
            }
            return inStore(watch) { request in
                for resource in resources { _ = try await resource.get() }
                switch request.path {
                case "/throws": throw TestError()
                case "/unhandled": throw HTTPUnhandledError()
                case "/chunked", "/counted":
                    return HTTPResponse(count: request.path == "/counted" ? 15 : nil) { number in
                        #expect(RequestStore.current?.isClosed == false)
                        await Task.yield()
                        return number < 3 ? "part;" : nil
                    }
                case "/bodythrows":
                    return HTTPResponse { number in
                        if number > 0 { throw TestError("body") }
                        return "part;"
                    }
                case "/endless":
                    return HTTPResponse { _ in
                        await Task.yield()
                        // FlyingFox waits for a body that does not react.
                        try Task.checkCancellation()
                        return String(repeating: "x", count: 1_000)
                    }
                case "/untilgone", "/untilgonestreamed":
                    watch.handlerIsAtWork()
                    for await _ in clientHasGone.stream {}
                    if request.path == "/untilgone" { return HTTPResponse("nobody reads this") }
                    return HTTPResponse { _ in "nobody reads this" }
                case "/untilcancelled":
                    watch.handlerIsAtWork()
                    try? await Task.sleep(for: .seconds(3_600))
                    return HTTPResponse("nobody reads this")
                default:
                    guard let code = Int(request.path.dropFirst()) else { return HTTPResponse("buffered") }
                    return HTTPResponse(statusCode: HTTPStatusCode(code, phrase: "Test"))
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
    ) async throws -> RawResponse {
        let fixture = Fixture(count: count)
        let received = Box<RawResponse?>(nil)
        try await withServer(fixture.handler()) { port in
            let client = try await RawClient.connect(to: port)
            try await client.get(path)
            let response = try await client.response()
            #expect(response.status == status)
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == verdict)
            #expect(outcome.status == .http(status))
            #expect(outcome.ending.name == ending)
            received.update { $0 = response }
            try? await client.close()
        }
        #expect(fixture.watch.journal == fixture.releases(verdict, before: before, ending))
        fixture.expectBalance(requests: 1)
        return try #require(received.value)
    }

    @Test("returns", arguments: counts)
    func returns(count: Int) async throws {
        let response = try await exit("/", count: count, status: 200, verdict: .commit, ending: "completed")
        #expect(response.body == "buffered")
        #expect(response.headers["content-length"] == "8")
    }

    @Test("returns an empty 200, a 204 and a 404", arguments: counts, [200, 204, 404])
    func statuses(count: Int, status: Int) async throws {
        _ = try await exit("/\(status)", count: count, status: status, verdict: .commit, ending: "completed")
    }

    @Test("returns a 500", arguments: counts)
    func returnsFailure(count: Int) async throws {
        _ = try await exit("/500", count: count, status: 500, verdict: .rollback, ending: "completed")
    }

    @Test("throws", arguments: counts)
    func throwsError(count: Int) async throws {
        _ = try await exit("/throws", count: count, status: 500, verdict: .rollback, before: "failed", ending: "failed")
    }

    @Test("matches no route", arguments: counts)
    func unhandled(count: Int) async throws {
        _ = try await exit(
            "/unhandled",
            count: count,
            status: 404,
            verdict: .rollback,
            before: "failed",
            ending: "failed"
        )
    }

    @Test("streams, with a length and chunked", arguments: counts, ["/counted", "/chunked"])
    func streams(count: Int, path: String) async throws {
        let response = try await exit(path, count: count, status: 200, verdict: .commit, ending: "completed")
        #expect(response.body == "part;part;part;")
        #expect(response.headers["content-length"] == (path == "/counted" ? "15" : nil))
    }

    @Test("the streamed body throws", arguments: counts)
    func bodyThrows(count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withServer(fixture.handler()) { port in
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

    @Test("the client leaves mid-body, by reset and by closing: abandoned", arguments: counts, Leaving.allCases)
    func leavesMidBody(count: Int, leaving: Leaving) async throws {
        let fixture = Fixture(count: count)
        try await withServer(fixture.handler()) { port in
            let client = try await RawClient.connect(to: port)
            try await client.get("/endless")
            _ = try await client.read(through: "xxxxx")
            try await leaving == .reset ? client.reset() : client.close()
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == .commit)
            #expect(outcome.ending.name == "abandoned")
        }
        #expect(fixture.watch.journal == fixture.releases(.commit, "abandoned"))
        fixture.expectBalance(requests: 1)
    }

    @Test(
        "the client leaves before the head of a buffered and of a streamed response",
        arguments: counts,
        [false, true]
    )
    func leavesBeforeHead(count: Int, streams: Bool) async throws {
        let fixture = Fixture(count: count)
        try await withServer(fixture.handler()) { port in
            let client = try await RawClient.connect(to: port)
            try await client.get(streams ? "/untilgonestreamed" : "/untilgone")
            await fixture.watch.untilHandlerIsAtWork()
            try await client.reset()
            fixture.clientHasGone.continuation.finish()
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == .commit)
            #expect(outcome.ending.name == (streams ? "abandoned" : "completed"))
        }
        #expect(fixture.watch.journal == fixture.releases(.commit, streams ? "abandoned" : "completed"))
        fixture.expectBalance(requests: 1)
    }

    @Test(
        "the time limit of the handler passes: FlyingFox answers 500, and the request is rolled back",
        arguments: counts
    )
    func timeLimit(count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withServer(fixture.handler(), timeout: 0.3) { port in
            let client = try await RawClient.connect(to: port)
            try await client.get("/untilcancelled")
            #expect(try await client.response().status == 500)
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == .rollback)
            #expect(["cancelled", "failed"].contains(outcome.ending.name), "the limit may pass while it acquires")
        }
        #expect(fixture.watch.counts.opened == 1)
        #expect(fixture.watch.counts.closed == 1)
        #expect(fixture.watch.counts.acquired == fixture.watch.counts.released)
    }

    @Test("keep-alive: three requests on one connection; pipelined: in one packet", arguments: counts, [false, true])
    func keepAlive(count: Int, pipelined: Bool) async throws {
        let fixture = Fixture(count: count)
        try await withServer(fixture.handler()) { port in
            let client = try await RawClient.connect(to: port)
            let paths = ["/chunked", "/throws", "/"]
            let requests = paths.map { "GET \($0) HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n" }
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

    @Test("the server is stopped mid-body", arguments: counts)
    func serverStopped(count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withServer(fixture.handler()) { port in
            let client = try await RawClient.connect(to: port)
            try await client.get("/endless")
            _ = try await client.read(through: "xxxxx")
        }
        let outcome = try #require(await fixture.watch.nextOutcome())
        #expect(outcome.verdict == .commit)
        // Whether a pull or a write of the body sees the cancellation; a write that does drops the body.
        #expect(["abandoned", "cancelled"].contains(outcome.ending.name))
        #expect(fixture.watch.journal == fixture.releases(.commit, outcome.ending.name))
        fixture.expectBalance(requests: 1)
    }
}
#endif
