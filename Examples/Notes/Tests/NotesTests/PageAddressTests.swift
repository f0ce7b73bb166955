import HTTPTypes
import Testing

@testable import NotesApp

@Suite("What the page's address asks for: whose notes, and which", .timeLimit(.minutes(1)))
struct PageAddressTests {
    private func titles(_ reply: Reply) -> [String] {
        reply.body.matches(of: #/<h2>(.*?)</h2>/#).map { String($0.1) }
    }

    @Test("A browser switches to a tenant by the address, and stays with it through the form and the search")
    func tenant() async throws {
        try await withNotes { client in
            let made = try await client.post("/notes?tenant=acme", form: "title=of+acme&body=b")
            #expect(made.status == 303 && made.headers[.location] == "/?tenant=acme")
            let page = try await client.get("/?tenant=acme")
            #expect(titles(page) == ["of acme"])
            #expect(page.body.contains("<h1>Notes of <b>acme</b></h1>") && page.body.contains(" tenant=acme "))
            #expect(page.body.contains(#"<form action="/notes?tenant=acme" method="post">"#))
            #expect(page.body.contains(#"<input type="hidden" name="tenant" value="acme">"#))
            #expect(titles(try await client.get("/")).isEmpty)
        }
    }

    @Test("A header says more than the address; a name that none can have gives 400")
    func whoIsRight() async throws {
        try await withNotes { client in
            let me = try await client.get("/whoami?tenant=a", tenant: "b").json(as: WhoAmIReply.self)
            #expect(me.tenant == "b")
            for name in ["", "A", "a%20b", "%3Cscript%3E", String(repeating: "z", count: 33)] {
                let reply = try await client.get("/?tenant=\(name)")
                #expect(reply.status == 400)
                #expect(try reply.errorMessage().contains("`tenant`"))
            }
        }
    }

    @Test("A search shows the notes that have all words, as a browser sends them; one for nothing shows all")
    func search() async throws {
        try await withNotes { client in
            for (title, body) in [("Bread", "flour and water"), ("Tea", "Water, boiling"), ("C++", "a + b")] {
                _ = try await client.post("/api/notes", json: ["title": title, "body": body])
            }
            _ = try await client.quietHealth()
            #expect(titles(try await client.get("/?q=water")) == ["Tea", "Bread"])
            #expect(titles(try await client.get("/?q=water+FLOUR")) == ["Bread"])
            #expect(titles(try await client.get("/?q=water%20flour")) == ["Bread"])
            #expect(titles(try await client.get("/?tenant=acme&q=water")).isEmpty)
            for address in ["/?q=", "/?q=+", "/?", "/?other=x"] {
                #expect(titles(try await client.get(address)) == ["C++", "Tea", "Bread"])
            }
        }
    }

    @Test("An address that cannot be read gives 400", arguments: ["q=%zz", "q=a&q=b", "q=%00", "q=a%00b"])
    func unreadable(query: String) async throws {
        try await withNotes { client in
            let reply = try await client.get("/?\(query)")
            #expect(reply.status == 400)
            #expect(try !reply.errorMessage().isEmpty)
        }
    }

    @Test("Where there is no note the page says so, and where none is found")
    func nothing() async throws {
        try await withNotes { client in
            let empty = try await client.get("/").body
            #expect(empty.contains("No notes yet") && !empty.contains("Nothing found"))
            _ = try await client.post("/notes", form: "title=t&body=b")
            _ = try await client.quietHealth()
            for address in ["/", "/?q=t"] {
                let page = try await client.get(address).body
                #expect(!page.contains("No notes yet") && !page.contains("Nothing found"))
            }
            #expect(try await client.get("/?q=nowhere").body.contains("Nothing found"))
        }
    }

    @Test(
        "What is searched for is escaped wherever the page shows it",
        arguments: [
            "<script>alert(1)</script>", "\u{600}<script>alert(1)</script>", "a & 'b' \"c\"", "\"\u{301} onfocus=x",
        ]
    )
    func escaping(text: String) async throws {
        try await withNotes { client in
            let query = text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            let page = try await client.get("/?q=\(query)").body
            let scalars = String(String.UnicodeScalarView(page.unicodeScalars.filter { $0.isASCII }))
            #expect(!scalars.contains("<script") && !scalars.contains("\" onfocus"))
            // Where it is typed, and above what was found.
            let escaped = HTMLContentType().escapeText(text)
            #expect(page.contains("value=\"\(escaped)\"") && page.contains("“\(escaped)”"))
        }
    }
}
