#if Inspector
import PerRequestTestSupport
import Testing

extension BrowserTests {
    /// The page alone says why a request is slow, while it is and afterwards.
    @Suite("Why a request is slow")
    struct SlowRequestTests {
        @Test("An exhausted pool: who holds the others, and who gave one back")
        func exhaustedPool() async throws {
            let app = StagedApplication(leases: 2)
            try await withPage(of: app) { browser, staged in
                let reports = [try await staged.send("/reports/1"), try await staged.send("/reports/2")]
                try await browser.wait(until: "document.querySelectorAll('#held tbody tr').length === 2")
                let client = try await staged.send("/notes/1")
                try await browser.wait(for: "GET /notes/{id}", in: "#waiting td")
                #expect(
                    try await browser.text("#pools tbody tr").split(whereSeparator: \.isWhitespace).prefix(3)
                        == ["database", "2", "1"]
                )
                try await browser.show("GET /notes/{id}")
                try await browser.wait(for: "database is not acquired after", in: "#why li:first-child")
                #expect(
                    try await browser.text("#why li:first-child").contains(
                        "its pool looks exhausted, 2 other requests hold one (GET /reports/{id} for"
                    )
                )
                app.reports.open()
                for client in reports + [client] {
                    _ = try await client.response()
                    try await client.close()
                }
                try await browser.wait(for: "Acquiring database took", in: "#why li:first-child")
                let reason = try await browser.text("#why li:first-child")
                #expect(reason.contains("its pool looks exhausted, 2 other requests held one (GET /reports/{id} for"))
                #expect(
                    reason.contains(
                        "it came when GET /reports/{id} gave its back. Asked for at StagedApplication.swift:"
                    )
                )
                // A link leads to who held it.
                try await browser.click("#why li:first-child a")
                try await browser.wait(for: "GET /reports/{id}", in: "#detail-title")
            }
        }

        @Test("A slow commit: which release the response waits for")
        func slowCommit() async throws {
            let app = StagedApplication()
            try await withPage(of: app) { browser, staged in
                let client = try await staged.send("/notes", method: "POST")
                try await browser.show("POST /notes")
                try await browser.wait(for: "Releasing transaction (commit) has taken", in: "#why li:first-child")
                try await browser.wait(
                    for: "and goes on, before the response: the client waits for it",
                    in: "#why li:first-child"
                )
                app.commit.open()
                #expect(try await client.response().body == "written")
                try await client.close()
                try await browser.wait(for: "Releasing transaction (commit) took", in: "#why li:first-child")
                #expect(
                    try await browser.text("#why li:first-child").contains(
                        "before the response: the client waits for it. Asked for at StagedApplication.swift:"
                    )
                )
            }
        }

        @Test("A child that hangs: which one, what it is at, and where that was asked for")
        func hangingChild() async throws {
            let app = StagedApplication()
            try await withPage(of: app) { browser, staged in
                let client = try await staged.send("/import", method: "POST")
                try await browser.show("POST /import")
                try await browser.wait(for: "Its child import is still open after", in: "#why li:first-child")
                try await browser.wait(for: "it is acquiring upstream for", in: "#why li:first-child")
                #expect(try await browser.text("#why li:first-child").contains("asked at StagedApplication.swift:"))
                try await browser.wait(
                    for: "child import",
                    in: "#waterfall .lane[data-kind=store][data-depth='1'] .name"
                )
                try await browser.wait(
                    until: "document.querySelector('#waterfall .lane[data-kind=key] .bar.acquire.running')"
                )
                app.child.open()
                #expect(try await client.response().body == "upstream")
                try await client.close()
                try await browser.wait(for: "The child import took", in: "#why li:first-child")
                try await browser.wait(for: "Acquiring upstream took", in: "#why li:first-child")
            }
        }

        @Test("A client that reads slowly: that the body waits for nobody else")
        func slowReader() async throws {
            try await withPage { browser, staged in
                let reader = try await SlowReader.connect(to: staged.port, path: "/export")
                try await browser.show("GET /export")
                try await browser.wait(for: "Writing the body has taken", in: "#why li:first-child")
                #expect(
                    try await browser.text("#why li:first-child").contains(
                        "nothing was acquired, used or waited for meanwhile: the client reads slowly, or the body is produced slowly"
                    )
                )
                try await reader.readAll()
                try await browser.wait(for: "Writing the body took", in: "#why li:first-child")
            }
        }
    }
}
#endif
