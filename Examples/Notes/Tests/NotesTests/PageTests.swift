import HTTPTypes
import Testing

@testable import NotesApp

@Suite(.timeLimit(.minutes(1)))
struct PageTests {
    @Test("The page is streamed HTML with the form, and ends with the ids its body saw")
    func page() async throws {
        try await withNotes { client in
            let reply = try await client.get("/", tenant: "acme")
            #expect(reply.status == 200)
            #expect(reply.headers[.contentType] == "text/html; charset=utf-8")
            #expect(reply.headers[.contentLength] == nil)
            #expect(reply.body.contains(#"<form action="/notes?tenant=acme" method="post">"#))
            let request = try #require(reply.requestID)
            let end = try #require(reply.body.split(separator: "\n").last)
            #expect(end.hasPrefix("<!-- request=\(request) tenant=acme client="))
            let ids = try #require(end.wholeMatch(of: #/<!-- .* client=([0-9]+) -->/#))
            let next = try await client.get("/whoami").client
            #expect(try #require(Int(ids.1)) + 1 == next)
        }
    }

    @Test("HEAD gets the page's head, and its request ends although the body is never written")
    func head() async throws {
        try await withNotes { client in
            let reply = try await client.send(.head, "/")
            #expect(reply.status == 200)
            #expect(reply.headers[.contentType] == "text/html; charset=utf-8")
            #expect(reply.body.isEmpty)
            #expect(reply.requestID != nil)
            let health = try await client.quietHealth()
            #expect(health.requests.open == 1 && health.resources.acquired == 0)
        }
    }

    @Test("The shell arrives while no connection is free, the notes when one is", arguments: ["/", "/?q=x"])
    func shellArrivesBeforeNotes(address: String) async throws {
        try await withNotesService { client, service in
            _ = try await client.post("/api/notes", json: ["title": "Late", "body": "x"])
            _ = try await client.quietHealth()
            var leases: [DatabaseClient] = []
            for _ in 1...8 { leases.append(try await service.database.lease(for: .public)) }
            try await client.open(.get, address) { head, body in
                #expect(head.status == .ok)
                let shell = try await body.read(until: "<ul>")
                #expect(shell.contains("</form>") && !shell.contains("Late"))
                for lease in leases { await lease.giveBack() }
                let rest = try await body.rest()
                #expect(rest.contains("<h2>Late</h2>") && rest.contains("<!-- request="))
            }
        }
    }

    @Test("All notes are on the page, newest first, even if they are read in several steps")
    func manyNotes() async throws {
        try await withNotes { client in
            for number in 1...205 {
                _ = try await client.post("/api/notes", json: ["title": "n\(number)", "body": "x"])
            }
            let titles = try await client.get("/").body.matches(of: #/<h2>(.*?)</h2>/#).map { String($0.1) }
            #expect(titles == (1...205).reversed().map { "n\($0)" })
        }
    }

    @Test(
        "User text is escaped, also where a mark makes another character of < or \"",
        arguments: [
            "<script>alert(1)</script>", "\u{600}<script>alert(1)</script>", "a & 'b' \"c\"", "\"\u{301} onfocus=x",
        ]
    )
    func escaping(text: String) async throws {
        try await withNotes { client in
            _ = try await client.post("/api/notes", json: ["title": text, "body": text])
            let form = "title=\(text.formEncoded)&body="
            for page in [try await client.get("/").body, try await client.post("/notes", form: form).body] {
                #expect(!page.contains("<script"))
                let scalars = String.UnicodeScalarView(page.unicodeScalars.filter { $0.isASCII })
                #expect(!String(scalars).contains("<script"))
                #expect(!String(scalars).contains("\" onfocus"))
            }
        }
    }

    @Test("A form makes a note and leads back to the page")
    func createByForm() async throws {
        try await withNotes { client in
            let reply = try await client.post("/notes", form: "title=Hello+you&body=a%26b%0D%0Ac")
            #expect(reply.status == 303)
            #expect(reply.headers[.location] == "/")
            let notes = try await client.get("/api/notes").json(as: [NoteReply].self)
            #expect(notes.map(\.title) == ["Hello you"])
            #expect(notes.map(\.body) == ["a&b\r\nc"])
        }
    }

    @Test(
        "A field that is missing, blank or too long gives 422, the message and the input again",
        arguments: [
            ("title=kept-%3Cinput%3E", "The body must not be blank."),
            ("title=kept-%3Cinput%3E&body=+%0A", "The body must not be blank."),
            ("body=kept-%3Cinput%3E", "The title must not be blank."),
            ("title=+&body=kept-%3Cinput%3E", "The title must not be blank."),
            (
                "body=kept-%3Cinput%3E&title=" + String(repeating: "t", count: 201),
                "The title must not be longer than 200"
            ),
            (
                "title=kept-%3Cinput%3E&body=" + String(repeating: "b", count: 10_001),
                "The body must not be longer than"
            ),
        ]
    )
    func invalidForm(form: String, message: String) async throws {
        try await withNotes { client in
            let reply = try await client.post("/notes", form: form)
            #expect(reply.status == 422)
            #expect(reply.headers[.contentType] == "text/html; charset=utf-8")
            #expect(reply.body.contains(message))
            #expect(reply.body.contains("kept-&lt;input&gt;"))
            #expect(!reply.body.contains("kept-<input>"))
            #expect(try await client.get("/api/notes").json(as: [NoteReply].self).isEmpty)
        }
    }

    @Test("The longest fields that are allowed are accepted")
    func longestFields() async throws {
        try await withNotes { client in
            let title = String(repeating: "é", count: 200)
            let body = String(repeating: "b", count: 10_000)
            let reply = try await client.post("/notes", form: "title=\(title.formEncoded)&body=\(body)")
            #expect(reply.status == 303)
            #expect(try await client.get("/api/notes").json(as: [NoteReply].self).map(\.title) == [title])
        }
    }

    @Test("A malformed form gives 400, another content type 415")
    func unreadableForm() async throws {
        try await withNotes { client in
            let malformed = try await client.post("/notes", form: "title=%zz&body=b")
            #expect(malformed.status == 400)
            #expect(try !malformed.errorMessage().isEmpty)
            for type in [nil, "application/json", "multipart/form-data; boundary=x"] {
                let reply = try await client.send(.post, "/notes", contentType: type, body: "title=t&body=b")
                #expect(reply.status == 415)
                #expect(try reply.errorMessage().contains("application/x-www-form-urlencoded"))
            }
        }
    }
}

extension String {
    /// The text as a form sends it.
    fileprivate var formEncoded: String {
        utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
