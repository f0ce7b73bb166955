#if Hummingbird
import Hummingbird
import PerRequest
import PerRequestHummingbird
import PerRequestTestSupport
import ServiceLifecycle
import Testing

@Suite("The next request on a connection", .timeLimit(.minutes(3)))
struct NextRequestTests {
    @Test(
        "Rule 13: waits no longer than its limit for a release, which goes on, and which a graceful shutdown waits for"
    )
    func hangingRelease() async throws {
        let watch = Watch()
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        let gate = Task { for await _ in stream {} }
        let hanging = RequestResource("hanging", limits: .init(release: .seconds(60))) {
            1
        } release: { _, _ in
            await gate.value
            watch.note("released")
        }
        let router = makeRouter()
        router.get("hangs") { _, _ in
            _ = try await hanging.get()
            return "hangs"
        }
        router.get("next") { _, _ in "next" }
        let limits = RequestLimits(afterResponse: .seconds(60), nextRequest: .milliseconds(20))
        try await withServer(router, limits: limits, observers: [watch]) { port, group in
            let client = try await RawClient.connect(to: port)
            try await client.get("/hangs")
            #expect(try await client.response().body == "hangs")
            try await client.get("/next")
            #expect(try await client.response().body == "next")
            watch.note("answered")
            // The store closes after the last byte, which the client may read before.
            _ = await watch.nextOutcome()
            #expect(watch.counts == .init(opened: 2, closed: 1, acquired: 1, released: 0))
            await group.triggerGracefulShutdown()
            try await client.close()
            // All that is left is the release.
            while let other = try? await RawClient.connect(to: port) {
                try? await other.close()
                await Task.yield()
            }
            for _ in 0..<1_000 { await Task.yield() }
            watch.note("opens the gate")
            continuation.finish()
        }
        watch.note("stopped")
        #expect(watch.journal == ["answered", "opens the gate", "released", "stopped"])
        #expect(watch.counts == .init(opened: 2, closed: 2, acquired: 1, released: 1))
    }

    @Test("Rule 13: what goes on has its own limit still")
    func limit() async throws {
        let watch = Watch()
        let router = makeRouter()
        let hanging = RequestResource("hanging", limits: .init(release: .milliseconds(200))) {
            1
        } release: { _, _ in
            try await Task.sleep(for: .seconds(3_600))
        }
        router.get("hangs") { _, _ in
            _ = try await hanging.get()
            return "hangs"
        }
        router.get("next") { _, _ in "next" }
        let limits = RequestLimits(nextRequest: .milliseconds(1))
        try await withServer(router, limits: limits, observers: [watch]) { port, _ in
            let client = try await RawClient.connect(to: port)
            for path in ["hangs", "next"] {
                try await client.get("/\(path)")
                #expect(try await client.response().body == path)
            }
            try await client.close()
        }
        // The server has waited for both.
        #expect(watch.counts == .init(opened: 2, closed: 2, acquired: 1, released: 1))
    }
}
#endif
