#if Inspector
import Foundation
import PerRequestTestSupport
import Testing

/// Where the pictures go; `nil` where none are wanted.
private let screenshotFolder = ProcessInfo.processInfo.environment["PERREQUEST_SCREENSHOTS"].map { URL(filePath: $0) }

extension BrowserTests {
    /// Not a test of its own: what `Scripts/screenshots` runs, so that the pictures show the page of a real application.
    @Suite("Pictures", .enabled(if: screenshotFolder != nil))
    struct ScreenshotTests {
        @Test("Why one was slow")
        func detail() async throws {
            let app = StagedApplication(leases: 2)
            try await withPage(of: app) { browser, staged in
                let clients = try await fill(browser, staged)
                try await browser.show("POST /orders")
                // It takes long enough for a picture.
                try await browser.wait(
                    until: "!/µs|^..? ms|^[12].. ms/.test(document.querySelector('#why .share').innerText)"
                )
                app.reports.open()
                try await browser.wait(for: "completed", in: "#detail-badges")
                try await browser.wait(until: "document.querySelector('#waterfall .bar.job:not(.running)')")
                try await take("inspector", browser)
                app.openAll()
                try await end(clients)
            }
        }

        @Test("What is open now")
        func overview() async throws {
            let app = StagedApplication(leases: 2)
            try await withPage(of: app) { browser, staged in
                let clients = try await fill(browser, staged)
                try await browser.wait(for: "upstream", in: "#pools")
                try await take("inspector-overview", browser)
                app.openAll()
                try await end(clients)
            }
        }

        /// Sends requests, some of which are over, and some of which hold what the others wait for.
        private func fill(_ browser: Browser, _ staged: StagedClient) async throws -> [RawClient] {
            for path in ["/notes/1", "/ping", "/nothing", "/notes/2", "/ping"] { try await staged.fetch(path) }
            var clients: [RawClient] = []
            for count in 1...2 {
                clients.append(try await staged.send("/reports/\(count)"))
                try await browser.wait(
                    until: "document.querySelectorAll('#held tbody tr').length == arguments[0]",
                    "\(count)"
                )
            }
            clients.append(try await staged.send("/import", method: "POST"))
            try await browser.wait(for: "POST /import", in: ".row")
            clients.append(try await staged.send("/orders", method: "POST"))
            try await browser.wait(for: "POST /orders", in: ".row")
            clients.append(try await staged.send("/notes/3"))
            return clients
        }

        private func end(_ clients: [RawClient]) async throws {
            for client in clients {
                _ = try await client.response()
                try await client.close()
            }
        }

        private func take(_ name: String, _ browser: Browser) async throws {
            let folder = try #require(screenshotFolder)
            for (suffix, scheme, width, height) in [
                ("light", "light", 1280, 840), ("dark", "dark", 1280, 840), ("narrow", "light", 390, 844),
            ] {
                try await browser.prefer(colorScheme: scheme)
                try await browser.resize(width: width, height: height)
                // Two frames later the page has followed the window.
                let _: Bool = try await browser.run(
                    "return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
                )
                try await browser.screenshot().write(to: folder.appending(path: "\(name)-\(suffix).png"))
            }
            try await browser.resize(width: 1280, height: 840)
        }
    }
}
#endif
