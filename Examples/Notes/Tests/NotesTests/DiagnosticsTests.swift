import HTTPTypes
import Testing

@Suite(.timeLimit(.minutes(1)))
struct DiagnosticsTests {
    @Test("Middleware, handler and 8 child tasks of a request see one client; another request sees another")
    func whoAmI() async throws {
        try await withNotes { client in
            let clients = try await withThrowingTaskGroup { group in
                for _ in 1...50 {
                    group.addTask {
                        let reply = try await client.get("/whoami", tenant: "acme")
                        let me = try reply.json(as: WhoAmIReply.self)
                        #expect(me.request == reply.requestID)
                        #expect(me.tenant == "acme")
                        #expect(me.client == reply.client)
                        #expect(me.clientSeenByMiddleware == me.client)
                        #expect(me.clientSeenByChildTasks == Array(repeating: me.client, count: 8))
                        return me.client
                    }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(clients.count == 50)
        }
    }

    @Test("/health counts its own request as open and uses no database")
    func firstHealth() async throws {
        try await withNotes { client in
            let reply = try await client.get("/health")
            let health = try reply.json(as: HealthReply.self)
            #expect(reply.status == 200)
            #expect(health.requests.opened == 1 && health.requests.open == 1)
            #expect(health.resources.acquired == 0 && health.resources.held == 0)
            #expect(health.releaseErrors == 0)
        }
    }

    @Test("After 200 mixed requests at once everything that was acquired has been released")
    func balance() async throws {
        try await withNotes { client in
            let note = ["title": "A", "body": "b"]
            try await withThrowingTaskGroup { group in
                for number in 0..<200 {
                    group.addTask {
                        switch number % 10 {
                        case 0: _ = try await client.get("/")
                        case 1: _ = try await client.get("/whoami")
                        case 2: _ = try await client.post("/api/notes", json: note)
                        case 3: _ = try await client.post("/api/notes?fail=handler", json: note)
                        case 4: _ = try await client.post("/api/notes?fail=conflict", json: note)
                        case 5: _ = try await client.post("/api/notes?fail=commit", json: note)
                        case 6: _ = try await client.get("/callback/notes")
                        case 7: _ = try await client.get("/nowhere")
                        case 8: _ = try await client.post("/notes", form: "title=A&body=b")
                        default:
                            try await client.open(.get, "/events?count=1000&interval=10000") { _, body in
                                _ = try await body.read(until: "\n\n")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let health = try await client.quietHealth()
            #expect(health.requests.open == 1)
            #expect(health.resources.held == 0)
            #expect(health.resources.acquired == health.resources.released)
            // A client for 9 of 10 kinds of request, a transaction for 5 of them, and both for the job of 2 of them.
            #expect(health.resources.acquired == 20 * (9 + 5 + 2 * 2))
            #expect(health.releaseErrors == 20)
            #expect(try await client.get("/api/notes").json(as: [NoteReply].self).count == 40)
        }
    }
}
