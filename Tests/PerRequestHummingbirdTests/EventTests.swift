#if Hummingbird
import Hummingbird
import HummingbirdRouter
import HummingbirdTesting
import PerRequest
import PerRequestHummingbird
import PerRequestTestSupport
import Testing

@Suite("Events of Hummingbird's requests")
struct EventTests {
    @Test("say what is served, by the template of its route, and how far it is")
    func phases() async throws {
        let watch = Watch()
        let router = makeRouter()
        router.get("notes/:id") { _, _ in "a note" }
        try await withServer(router, observers: [watch]) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/notes/42")
            #expect(try await client.response().body == "a note")
            _ = await watch.nextOutcome()
            try await client.close()
        }
        #expect(
            watch.phases == [
                "http GET -", "routing", "http GET /notes/{id}", "handler", "routing", "settling", "body", "closing",
            ]
        )
    }

    @Test("say nothing of a path that no route answers")
    func noRoute() async throws {
        let watch = Watch()
        let router = makeRouter()
        try await withServer(router, observers: [watch]) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/secret/42")
            #expect(try await client.response().status == 404)
            _ = await watch.nextOutcome()
            try await client.close()
        }
        #expect(watch.phases == ["http GET -", "routing", "settling", "body", "closing"])
    }

    @Test("say the route of a `RouterBuilder` when it has answered")
    func builder() async throws {
        let watch = Watch()
        let router = RouterBuilder(context: BasicRouterRequestContext.self) {
            RequestStoreMiddleware()
            Get("notes/{id}") { _, _ in "a note" }
        }
        let app = Application(router: router, requestStore: .http1(observers: [watch]))
        try await app.test(.router) { client in
            try await client.execute(uri: "/notes/42", method: .get) { #expect($0.status == .ok) }
        }
        _ = await watch.nextOutcome()
        #expect(watch.phases == ["http GET -", "routing", "http GET /notes/{id}", "settling", "body", "closing"])
    }
}
#endif
