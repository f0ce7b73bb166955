import HTTPTypes
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TransactionTests {
    @Test(
        "A request that fails leaves no note behind, and its lease comes back",
        arguments: [("handler", 500, 0), ("conflict", 409, 0), ("commit", 500, 1)]
    )
    func failure(kind: String, status: Int, releaseErrors: Int) async throws {
        try await withNotes { client in
            let reply = try await client.post("/api/notes?fail=\(kind)", json: ["title": "A", "body": "b"])
            #expect(reply.status == status)
            let message = try reply.errorMessage()
            for word in ["SQL", "FOREIGN", "foreign", "InHandler"] { #expect(!message.contains(word)) }
            #expect(reply.requestID != nil)
            #expect(reply.client == 1)
            #expect(try await client.get("/api/notes").json(as: [NoteReply].self).isEmpty)
            let health = try await client.quietHealth()
            #expect(health.releaseErrors == releaseErrors)
            #expect(health.resources.held == 0)
            // The connection is usable again.
            #expect(try await client.post("/api/notes", json: ["title": "A", "body": "b"]).status == 201)
        }
    }

    @Test("An unknown failure is refused")
    func unknownFailure() async throws {
        try await withNotes { client in
            let reply = try await client.post("/api/notes?fail=x", json: ["title": "A", "body": "b"])
            #expect(reply.status == 400)
        }
    }

    @Test("A note is there as soon as the response is")
    func readYourWrite() async throws {
        try await withNotes { client in
            for number in 1...50 {
                let path = try await client.post("/api/notes", json: ["title": "\(number)", "body": "b"]).headers[
                    .location
                ]
                #expect(try await client.get(#require(path)).status == 200)
            }
        }
    }

    @Test("64 writers at once all commit, failing ones among them all roll back")
    func manyWriters() async throws {
        try await withNotes { client in
            try await withThrowingTaskGroup { group in
                for number in 1...64 {
                    group.addTask {
                        let note = ["title": "good \(number)", "body": "b"]
                        let reply = try await client.post("/api/notes", json: note)
                        #expect(reply.status == 201)
                    }
                    let (kind, status) = [("handler", 500), ("conflict", 409), ("commit", 500)][number % 3]
                    group.addTask {
                        let note = ["title": "bad \(number)", "body": "b"]
                        let reply = try await client.post("/api/notes?fail=\(kind)", json: note)
                        #expect(reply.status == status)
                    }
                }
                try await group.waitForAll()
            }
            let titles = try await client.get("/api/notes").json(as: [NoteReply].self).map(\.title)
            #expect(titles.sorted() == (1...64).map { "good \($0)" }.sorted())
        }
    }
}
