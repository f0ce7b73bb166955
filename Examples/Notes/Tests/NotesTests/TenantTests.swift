import HTTPTypes
import Testing

@Suite(.timeLimit(.minutes(1)))
struct TenantTests {
    @Test("A tenant sees its own notes and no others, on every route")
    func isolation() async throws {
        try await withNotes { client in
            let note = try await client.post("/api/notes", tenant: "a", json: ["title": "secret-a", "body": "x"])
                .json(as: NoteReply.self)
            for path in ["/api/notes", "/callback/notes"] {
                #expect(try await client.get(path, tenant: "a").json() == [note])
                #expect(try await client.get(path, tenant: "b").json(as: [NoteReply].self).isEmpty)
                #expect(try await client.get(path).json(as: [NoteReply].self).isEmpty)
            }
            #expect(try await client.get("/", tenant: "a").body.contains("secret-a"))
            #expect(try await !client.get("/", tenant: "b").body.contains("secret-a"))
            #expect(try await client.get("/events?count=1", tenant: "a").body == "data: 1\n\n")
            #expect(try await client.get("/events?count=1", tenant: "b").body == "data: 0\n\n")
            #expect(try await client.get("/api/notes/\(note.id)", tenant: "b").status == 404)
            #expect(try await client.send(.delete, "/api/notes/\(note.id)", tenant: "b").status == 404)
            #expect(try await client.get("/api/notes/\(note.id)", tenant: "a").status == 200)
        }
    }

    @Test("Many tenants at once: every response is about the tenant that asked")
    func concurrentTenants() async throws {
        try await withNotes { client in
            try await withThrowingTaskGroup { group in
                for number in 1...40 {
                    group.addTask {
                        let tenant = "tenant-\(number)"
                        _ = try await client.post("/api/notes", tenant: tenant, json: ["title": tenant, "body": "x"])
                        let notes = try await client.get("/api/notes", tenant: tenant).json(as: [NoteReply].self)
                        #expect(notes.map(\.title) == [tenant])
                        let me = try await client.get("/whoami", tenant: tenant).json(as: WhoAmIReply.self)
                        #expect(me.tenant == tenant)
                        let page = try await client.get("/", tenant: tenant).body
                        #expect(page.contains("<h2>\(tenant)</h2>") && page.contains(" tenant=\(tenant) "))
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test(
        "A name of 1 to 32 of a-z, 0-9 and - is accepted",
        arguments: ["a", "0-9", "-", String(repeating: "z", count: 32)]
    )
    func validName(name: String) async throws {
        try await withNotes { client in
            let me = try await client.get("/whoami", tenant: name).json(as: WhoAmIReply.self)
            #expect(me.tenant == name)
        }
    }

    @Test(
        "Any other name gets 400 with a JSON error",
        arguments: ["", "A", "a b", "a_b", "ä", "a/b", String(repeating: "z", count: 33)]
    )
    func invalidName(name: String) async throws {
        try await withNotes { client in
            for path in ["/", "/api/notes", "/health", "/nowhere"] {
                let reply = try await client.get(path, tenant: name)
                #expect(reply.status == 400)
                #expect(try reply.errorMessage().contains("X-Tenant"))
                #expect(reply.requestID != nil)
                #expect(reply.client == nil)
            }
        }
    }
}
