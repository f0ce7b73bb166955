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
        @Test("An exhausted pool, light, dark and in a narrow window")
        func exhaustedPool() async throws {
            let app = StagedApplication(leases: 2)
            try await withPage(of: app) { browser, staged in
                for path in ["/notes/1", "/ping", "/nothing", "/notes/2", "/ping"] { try await staged.fetch(path) }
                let reader = try await SlowReader.connect(to: staged.port, path: "/export")
                let first = try await staged.send("/reports/1")
                try await browser.wait(until: "document.querySelectorAll('#held tbody tr').length === 1")
                let second = try await staged.send("/reports/2")
                try await browser.wait(until: "document.querySelectorAll('#held tbody tr').length === 2")
                let write = try await staged.send("/notes", method: "POST")
                let read = try await staged.send("/notes/3")
                try await browser.wait(until: "document.querySelector('#pools tbody tr')?.cells[2].innerText === '2'")
                let child = try await staged.send("/import", method: "POST")
                try await browser.wait(for: "POST /import", in: ".row")
                // The longer it takes, the more the picture says.
                try await browser.show("POST /notes")
                try await browser.wait(until: "parseInt(document.querySelector('#why .share').innerText) >= 400")
                app.reports.open()
                app.commit.open()
                try await browser.wait(for: "completed", in: "#detail-badges")
                try await take("inspector", browser, width: 1280, height: 720)
                try await browser.press(Key.escape)
                try await browser.wait(for: "upstream", in: "#pools")
                try await take("inspector-overview", browser, width: 1280, height: 720)
                app.openAll()
                for client in [first, second, write, read, child] {
                    _ = try await client.response()
                    try await client.close()
                }
                try await reader.readAll()
            }
        }

        private func take(_ name: String, _ browser: Browser, width: Int, height: Int) async throws {
            let folder = try #require(screenshotFolder)
            for (suffix, scheme, width, height) in [
                ("light", "light", width, height), ("dark", "dark", width, height), ("narrow", "light", 390, 844),
            ] {
                try await browser.prefer(colorScheme: scheme)
                try await browser.resize(width: width, height: height)
                // Two frames later the page has followed the window.
                let _: Bool = try await browser.run(
                    "return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
                )
                try await browser.screenshot().write(to: folder.appending(path: "\(name)-\(suffix).png"))
            }
            try await browser.resize(width: width, height: height)
        }
    }
}
#endif
