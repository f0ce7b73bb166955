#if Inspector
import Foundation
import Hummingbird
import PerRequest
import PerRequestHummingbird
import PerRequestTestSupport
import ServiceLifecycle
import Synchronization
import Testing

@testable import PerRequestInspector

@Suite("The inspector's event stream")
struct EventStreamTests {
    let inspector = RequestInspector(keepsClosedRequests: 2)
    let router = RequestStoreRouter()
    let watch = Watch()

    init() { inspector.mount(on: router) }

    /// Reads the next event of a kind.
    private func next(_ kind: String, of client: RawClient) async throws -> Change {
        _ = try await client.read(through: "event: \(kind)\ndata: ")
        // A chunk of the body ends after the event.
        let json = try await client.read(through: "\n\n").dropLast(2)
        return try JSONDecoder().decode(Change.self, from: Data(json.utf8))
    }

    @Test("begins with all there is, and says what has changed and what is gone")
    func changes() async throws {
        let (started, gate) = (Gate(), Gate())
        router.get("slow") { _, _ in
            started.open()
            await gate.pass()
            return "done"
        }
        router.get("fast") { _, _ in "done" }
        try await withInspected(router, inspector, observers: [watch]) { port, _ in
            _ = try await get("/fast", on: port)
            #expect(await watch.nextOutcome() != nil)
            let client = try await RawClient.connect(to: port)
            try await client.get("/_requests/events")
            let first = try await next("snapshot", of: client)
            #expect(first.requests.map(\.route) == ["/fast"])
            async let response = get("/slow", on: port)
            await started.pass()
            var change = try await next("change", of: client)
            while change.requests.first?.phases.last?.name != "handler" {
                change = try await next("change", of: client)
            }
            #expect(change.requests.map(\.route) == ["/slow"], "only what has changed")
            #expect(change.overview.open == 1)
            gate.open()
            #expect(try await response.status == 200)
            _ = try await (get("/fast", on: port), get("/fast", on: port))
            var removed: [String] = []
            while removed.count < 2 { removed += try await next("change", of: client).removed ?? [] }
            #expect(removed.contains(first.requests[0].id))
            #expect(inspector.look().timelines.count == 2)
            try await client.close()
        }
    }

    @Test("ends when the server shuts down gracefully", .timeLimit(.minutes(2)))
    func shutdown() async throws {
        try await withInspected(router, inspector) { port, group in
            let client = try await RawClient.connect(to: port)
            try await client.get("/_requests/events")
            _ = try await next("snapshot", of: client)
            await group.triggerGracefulShutdown()
            #expect(try await client.rest().hasSuffix("0\r\n\r\n"), "the whole body was sent")
        }
    }

    @Test("is open so many times at once, and no more")
    func limit() async throws {
        try await withInspected(router, inspector) { port, _ in
            var clients: [RawClient] = []
            for _ in 0..<RequestInspector.watcherLimit {
                let client = try await RawClient.connect(to: port)
                try await client.get("/_requests/events")
                _ = try await next("snapshot", of: client)
                clients.append(client)
            }
            #expect(try await get("/_requests/events", on: port).status == 503)
            #expect(try await get("/_requests/events", on: port, method: "HEAD").status == 200)
            #expect(try await get("/_requests/snapshot", on: port).status == 200)
            for client in clients { try await client.close() }
        }
        #expect(inspector.watchers.load(ordering: .relaxed) == 0)
    }

    struct Change: Decodable {
        let now: Int
        let requests: [Kept.Request]
        let removed: [String]?
        let overview: Kept.Overview
    }
}
#endif
