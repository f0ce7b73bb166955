#if Inspector
import PerRequestTestSupport
import Testing

extension BrowserTests {
    @Suite("Reading the page")
    struct ReadingTests {
        @Test("Filters by route, outcome, key and duration, which the address keeps")
        func filters() async throws {
            let app = StagedApplication()
            try await withPage(of: app) { browser, staged in
                for path in ["/ping", "/ping", "/notes/1", "/nothing", "/<marquee>route"] {
                    try await staged.fetch(path)
                }
                try await browser.wait(until: "document.querySelectorAll('.row').length === 5")

                try await browser.press("/", "p", "i", "n", "g")
                try await browser.wait(until: "document.querySelectorAll('.row').length === 2")
                #expect(try await browser.titles() == ["GET /ping", "GET /ping"])
                #expect(try await browser.text("#counts").contains("2 of 5 shown"))
                let _: WebDriver.Empty? = try await browser.run("location.reload()")
                try await browser.wait(until: "document.querySelectorAll('.row').length === 2")
                #expect(try await browser.run("return location.hash") == "#route=ping")
                try await browser.click("#filter-clear")
                try await browser.wait(until: "document.querySelectorAll('.row').length === 5")

                try await browser.enter("failed", in: "filter-outcome")
                try await browser.wait(until: "document.querySelectorAll('.row').length === 1")
                #expect(try await browser.titles() == ["GET /<marquee>route"])
                try await browser.enter("", in: "filter-outcome")

                try await browser.enter("database", in: "filter-key")
                try await browser.wait(until: "document.querySelectorAll('.row').length === 1")
                #expect(try await browser.titles() == ["GET /notes/{id}"])
                try await browser.enter("", in: "filter-key")

                let client = try await staged.send("/hold")
                try await browser.wait(until: "document.querySelectorAll('.row').length === 6")
                try await browser.enter("10 min", in: "filter-least")
                try await browser.wait(for: "No request passes the filters.", in: "#empty")
                try await browser.enter("1 µs", in: "filter-least")
                try await browser.wait(until: "document.querySelectorAll('.row').length === 6")
                try await browser.enter("soon", in: "filter-least")
                try await browser.wait(until: "document.querySelector('#filter-least[aria-invalid=true]')")
                app.held.open()
                _ = try await client.response()
                try await client.close()
            }
        }

        @Test("Exports all requests, and the one that is shown")
        func exports() async throws {
            struct Export: Decodable { let requests: [Record] }
            struct Trace: Decodable {
                struct Event: Decodable { let name: String }
                let traceEvents: [Event]
            }
            try await withPage { browser, staged in
                try await staged.fetch("/ping")
                try await staged.fetch("/notes/1")
                try await browser.show("GET /notes/{id}", "good")
                let all: Export = try await browser.follow("#export-json")
                #expect(all.requests.map(\.route) == ["/notes/{id}", "/ping"])
                let one: Export = try await browser.follow("#detail-json")
                #expect(one.requests.map(\.route) == ["/notes/{id}"])
                let trace: Trace = try await browser.follow("#export-trace")
                #expect(trace.traceEvents.contains { $0.name.contains("/ping") })
                let traceOfOne: Trace = try await browser.follow("#detail-trace")
                #expect(!traceOfOne.traceEvents.contains { $0.name.contains("/ping") })
                #expect(traceOfOne.traceEvents.contains { $0.name.contains("database") })
            }
        }

        @Test("Shows markup in a route, a key and an error as text")
        func markup() async throws {
            try await withPage { browser, staged in
                try await staged.fetch("/<marquee>route")
                try await browser.show("GET /<marquee>route", "bad")
                #expect(try await browser.text("#detail-title") == "GET /<marquee>route")
                try await browser.wait(for: "<marquee>key</marquee>", in: "#waterfall code")
                try await browser.wait(for: "<marquee>error</marquee><script>", in: "#detail-error")
                #expect(try await browser.count("marquee, body script") == 0)
                #expect(try await browser.run("return document.title") == "Requests")
            }
        }

        @Test("Works by the keyboard alone")
        func keyboard() async throws {
            try await withPage { browser, staged in
                for path in ["/ping", "/notes/1", "/nothing"] { try await staged.fetch(path) }
                try await browser.wait(until: "document.querySelectorAll('.row').length === 3")
                let selected = "document.querySelector('.row[aria-selected=true] .title')?.textContent"
                for (key, title) in [
                    ("j", "GET (no route)"), (Key.down, "GET /notes/{id}"), ("k", "GET (no route)"),
                    (Key.end, "GET /ping"),
                    (Key.up, "GET /notes/{id}"),
                ] {
                    try await browser.press(key)
                    try await browser.wait(until: "\(selected) === arguments[0]", title)
                }
                try await browser.press(Key.enter)
                try await browser.wait(for: "GET /notes/{id}", in: "#detail:not([hidden]) h2")
                #expect(try await browser.focus() == "detail-title")
                try await browser.press(Key.escape)
                try await browser.wait(until: "document.getElementById('detail').hidden")
                #expect(try await browser.focus() == "list")
                let active =
                    try await browser.run(
                        "return document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))?.innerText"
                    ) as String
                #expect(active.contains("GET /notes/{id}"))
                try await browser.press("/")
                #expect(try await browser.focus() == "filter-route")
                // A letter there is a letter.
                try await browser.press("p", Key.escape)
                #expect(try await browser.focus() == "list")
                #expect(try await browser.run("return document.getElementById('filter-route').value") == "p")
                try await browser.press("?")
                try await browser.wait(until: "document.getElementById('help').open")
                try await browser.press(Key.escape)
                try await browser.wait(until: "!document.getElementById('help').open")
                try await browser.press("p")
                try await browser.wait(until: "document.querySelector('#pause[aria-pressed=true]')")
                try await browser.press("p")
                try await browser.wait(until: "document.querySelector('#connection[data-state=live]')")
            }
        }

        @Test("Has a name for whatever a screen reader stops at")
        func names() async throws {
            let app = StagedApplication()
            try await withPage(of: app) { browser, staged in
                try await staged.fetch("/notes/1")
                try await browser.show("GET /notes/{id}", "good")
                let nameless =
                    try await browser.run(
                        """
                        return [...document.querySelectorAll("button, a, input, select, [role], section, article, dialog")]
                            .filter((each) => !["row", "rowgroup", "cell", "status"].includes(each.role))
                            .filter((each) => !(each.getAttribute("aria-label") || each.getAttribute("aria-labelledby")
                                || each.labels?.length || each.textContent.trim()))
                            .map((each) => each.outerHTML)
                        """
                    ) as [String]
                #expect(nameless == [])
                #expect(
                    try await browser.run("return document.querySelector('.row').ariaLabel") == expectedName(browser)
                )
            }
        }

        private func expectedName(_ browser: Browser) async throws -> String {
            let took = try await browser.text(".row .time")
            return "GET /notes/{id}, 200, \(took)"
        }

        @Test("Fits into a narrow window", arguments: ["light", "dark"])
        func narrow(_ scheme: String) async throws {
            try await withPage { browser, staged in
                try await browser.prefer(colorScheme: scheme)
                try await browser.resize(width: 390, height: 844)
                try await staged.fetch("/<marquee>route")
                try await staged.fetch("/notes/1")
                try await browser.wait(until: "document.querySelectorAll('.row').length === 2")
                #expect(try await browser.run("return document.documentElement.scrollWidth") == 390)
                try await browser.show("GET /<marquee>route", "bad")
                try await browser.wait(
                    until: "getComputedStyle(document.getElementById('requests')).display === 'none'"
                )
                #expect(try await browser.run("return document.documentElement.scrollWidth") == 390)
                try await browser.click("#detail-close")
                try await browser.wait(for: "GET /notes/{id}", in: ".row")
            }
        }
    }
}
#endif
