import HTTPTypes
import Testing

@Suite(.timeLimit(.minutes(1)))
struct EventTests {
    @Test("As many events come as were asked for, each with the number of notes")
    func count() async throws {
        try await withNotes { client in
            _ = try await client.post("/api/notes", json: ["title": "A", "body": "b"])
            let reply = try await client.get("/events?count=5&interval=1")
            #expect(reply.status == 200)
            #expect(reply.headers[.contentType] == "text/event-stream")
            #expect(reply.body == String(repeating: "data: 1\n\n", count: 5))
        }
    }

    @Test("Events arrive one by one, with what is true at their time")
    func liveEvents() async throws {
        try await withNotes { client in
            try await client.open(.get, "/events?count=1000&interval=20") { _, body in
                #expect(try await body.read(until: "\n\n").hasPrefix("data: 0\n\n"))
                _ = try await client.post("/api/notes", json: ["title": "A", "body": "b"])
                #expect(try await body.read(until: "data: 1\n\n").hasSuffix("data: 1\n\n"))
            }
        }
    }

    @Test("The interval passes between two events and not after the last")
    func interval() async throws {
        try await withNotes { client in
            let duration = try await ContinuousClock().measure {
                _ = try await client.get("/events?count=3&interval=100")
            }
            #expect(duration >= .milliseconds(200))
            let single = try await ContinuousClock().measure {
                _ = try await client.get("/events?count=1&interval=10000")
            }
            #expect(single < .seconds(5))
        }
    }

    @Test(
        "A count or interval that is out of range gives 400",
        arguments: [
            "count=0", "count=1001", "count=x", "count=", "count=-1", "interval=-1", "interval=10001", "interval=x",
        ]
    )
    func invalid(query: String) async throws {
        try await withNotes { client in
            let reply = try await client.get("/events?\(query)")
            #expect(reply.status == 400)
            #expect(try !reply.errorMessage().isEmpty)
        }
    }

    @Test("No client is held between events: more streams than connections wait for their next event at once")
    func noneHeldBetweenEvents() async throws {
        try await withNotes { client in
            try await withThrowingTaskGroup { group in
                let (opened, continuation) = AsyncStream<Void>.makeStream()
                for _ in 1...20 {
                    group.addTask {
                        try await client.open(.get, "/events?count=2&interval=10000") { _, body in
                            _ = try await body.read(until: "data: 0\n\n")
                            continuation.yield()
                            // Until the group is cancelled.
                            try await Task.sleep(for: .seconds(3_600))
                        }
                    }
                }
                var count = 0
                for await _ in opened {
                    count += 1
                    if count == 20 { break }
                }
                let health = try await client.get("/health").json(as: HealthReply.self)
                #expect(health.requests.open == 21)
                #expect(health.resources.held == 0)
                group.cancelAll()
                _ = try? await group.waitForAll()
            }
        }
    }

    @Test("The lease of a client that leaves comes back long before its next event")
    func leavingEarly() async throws {
        try await withNotes { client in
            for _ in 1...20 {
                try await client.open(.get, "/events?count=1000&interval=10000") { _, body in
                    _ = try await body.read(until: "data: 0\n\n")
                }
            }
            let health = try await client.quietHealth()
            #expect(health.resources.held == 0)
            #expect(health.resources.acquired == 20)
            #expect(health.requests.open == 1)
        }
    }
}
