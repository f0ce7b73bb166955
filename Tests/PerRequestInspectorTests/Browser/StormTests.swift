#if Inspector
import Foundation
import PerRequestTestSupport
import Testing

extension BrowserTests {
    @Suite("Very many requests")
    struct StormTests {
        /// Fewer where the environment says so: on a machine that takes minutes for them.
        private static let count = ProcessInfo.processInfo.environment["PERREQUEST_STORM"].flatMap(Int.init) ?? 100_000

        @Test("The page follows as fast as the machine goes, and stays as small as it was")
        func storm() async throws {
            let app = StagedApplication()
            try await withPage(of: app) { browser, staged in
                let held = try await staged.send("/hold")
                try await browser.wait(for: "GET /hold", in: ".row")
                async let storm: Void = staged.storm(of: Self.count, "/ping")
                try await browser.wait(for: "GET /ping", in: ".row")
                // It is still a page while that goes on.
                try await browser.show("GET /hold")
                try await browser.press(Key.escape, Key.end, Key.home)
                try await browser.wait(for: "GET /hold", in: ".row[aria-selected=true]")
                try await storm
                try await staged.fetch("/notes/1")
                try await browser.wait(for: "GET /notes/{id}", in: ".row")
                #expect(try await browser.titles().prefix(2) == ["GET /hold", "GET /notes/{id}"])
                #expect(try await browser.count("*") < 1000)
                #expect(try await browser.run("return document.querySelector('.row').ariaSetSize") == "501")
                #expect(try await browser.text("#connection") == "live")
                let megabytes = try await browser.run("return performance.memory.usedJSHeapSize / 1e6") as Double
                #expect(megabytes < 100)
                app.held.open()
                _ = try await held.response()
                try await held.close()
                try await browser.wait(until: "document.querySelectorAll('.row[data-state=open]').length === 0")
            }
        }
    }
}
#endif
