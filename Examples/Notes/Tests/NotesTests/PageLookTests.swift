import Foundation
import HTTPTypes
import Testing

@Suite("How the page looks, and what it shows of its request", .timeLimit(.minutes(1)))
struct PageLookTests {
    @Test("Nothing but its own stylesheet may be loaded, nothing may run, and forms lead here only")
    func policy() async throws {
        try await withNotes { client in
            for reply in [try await client.get("/"), try await client.post("/notes", form: "title=")] {
                let policy = try #require(reply.headers[.contentSecurityPolicy]).split(separator: "; ")
                #expect(policy.contains("default-src 'none'") && policy.contains("style-src 'self'"))
                #expect(policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"))
                #expect(!policy.contains { $0.hasPrefix("script-src") || $0.contains("unsafe") })
                #expect(reply.headers[.xContentTypeOptions] == "nosniff")
                #expect(!reply.body.contains("<script") && !reply.body.contains("style="))
                #expect(!reply.body.contains("://"))
            }
        }
    }

    @Test("The stylesheet is the application's own, for light and dark and narrow windows, and loads nothing")
    func stylesheet() async throws {
        try await withNotes { client in
            let page = try await client.get("/").body
            let address = try #require(page.firstMatch(of: #/<link rel="stylesheet" href="(/[^"]+)">/#)?.1)
            let style = try await client.get(String(address))
            #expect(style.status == 200)
            #expect(style.headers[.contentType] == "text/css; charset=utf-8")
            #expect(style.headers[.xContentTypeOptions] == "nosniff")
            #expect(style.body.contains("prefers-color-scheme: dark") && style.body.contains("max-width"))
            #expect(!style.body.contains("url(") && !style.body.contains("@import"))
            #expect(style.client == nil)
        }
    }

    @Test("Everything that one types into has a name, and the page has its landmarks")
    func names() async throws {
        try await withNotes { client in
            let page = try await client.get("/").body
            for landmark in [
                "<html lang=\"en\">", "<header>", "<main>", "<footer>", "<nav aria-label=", "role=\"search\"",
            ] {
                #expect(page.contains(landmark))
            }
            let fields = page.matches(of: #/<(?:input|textarea) [^>]*>/#)
            #expect(fields.count == 4)
            for field in fields {
                let label = page[..<field.range.lowerBound].split(separator: "<").last?.hasPrefix("label") ?? false
                #expect(label || field.output.contains("aria-label="))
            }
        }
    }

    @Test("The page says which request and which lease served it, and leads to it in the inspector")
    func served() async throws {
        try await withNotes { client in
            let reply = try await client.get("/?tenant=acme")
            let request = try #require(reply.requestID)
            let lease = try #require(reply.body.firstMatch(of: #/ client=([0-9]+) -->/#)?.1)
            let foot = try #require(reply.body.firstMatch(of: #/(?s)<footer>(.*)</footer>/#)?.1)
            #expect(foot.contains("<code>\(request)</code>"))
            #expect(foot.contains("<dd>acme</dd>") && foot.contains("<dd>\(lease)</dd>"))
            #expect(foot.contains("href=\"/_requests/#route=\(request)\""))
        }
    }

    @Test("The inspector shows the page's request with what the page says of it, and not its own")
    func inspector() async throws {
        try await withNotes { client in
            let page = try await client.get("/?tenant=acme")
            _ = try await client.quietHealth()
            let inspector = try await client.get("/_requests/")
            #expect(inspector.status == 200)
            #expect(inspector.headers[.contentType] == "text/html; charset=utf-8")
            let snapshot = try await client.get("/_requests/snapshot").json(as: Snapshot.self)
            #expect(!snapshot.requests.contains { $0.route?.contains("_requests") ?? false })
            let shown = try #require(snapshot.requests.first { $0.name == page.requestID })
            #expect(shown.route == "/" && shown.outcome != nil)
            // Of a value that is not marked, only its name is shown.
            #expect(shown.values["tenant"] == .some("acme") && shown.values["requestID"] == .some(nil))
            #expect(shown.acquisitions.map(\.key) == ["client"])
        }
    }
}

/// What the test reads of it.
private struct Snapshot: Decodable {
    struct Request: Decodable {
        struct Acquisition: Decodable { let key: String }
        struct Value: Decodable {
            let name: String
            let value: String?
        }

        let name: String
        let route: String?
        let outcome: String?
        let acquisitions: [Acquisition]
        private let shown: [Value]
        var values: [String: String?] { Dictionary(shown.map { ($0.name, $0.value) }) { $1 } }

        private enum CodingKeys: String, CodingKey {
            case name, route, outcome, acquisitions
            case shown = "values"
        }
    }

    let requests: [Request]
}
