#if Inspector
import Foundation
import PerRequestTestSupport
import Testing

extension BrowserTests {
    @Suite("A request that is being served")
    struct LiveTests {
        @Test("appears, has its bars where its timings say, and ends")
        func bars() async throws {
            let app = StagedApplication()
            try await withPage(of: app) { browser, staged in
                let client = try await staged.send("/reports/1")
                try await browser.show("GET /reports/{id}")
                try await browser.wait(for: "handler", in: "#detail-badges")
                try await browser.wait(until: "document.querySelector('#waterfall .bar.use.running')")
                app.reports.open()
                #expect(try await client.response().body == "a report")
                try await browser.wait(for: "completed", in: "#detail-badges")
                try await client.close()

                let request = try #require(try await staged.records().first { $0.route == "/reports/{id}" })
                let bars = try await browser.bars()
                let acquisition = try #require(request.acquisitions.first)
                let closed = try #require(request.closed)
                for phase in request.phases {
                    bars.expect(phase.name, phase.from, phase.to ?? closed, in: request.opened...closed)
                }
                let acquired = try #require(acquisition.acquired)
                let releasing = try #require(acquisition.releasing)
                let use = try #require(request.calls.first { $0.kind == "use" })
                bars.expect("acquire", acquisition.from, acquired, in: request.opened...closed)
                bars.expect("hold", acquired, releasing, in: request.opened...closed)
                bars.expect("use", use.from, try #require(use.to), in: request.opened...closed)
                bars.expect("release", releasing, try #require(acquisition.released), in: request.opened...closed)
                #expect(try await browser.count("#waterfall .running") == 0)
                let place = try await browser.text("#waterfall .lane[data-kind=key] .place")
                #expect(place == acquisition.askedAt && place.contains("StagedApplication.swift:"))
            }
        }

        @Test("is first in the list, and is counted among what is held now")
        func overview() async throws {
            let app = StagedApplication()
            try await withPage(of: app) { browser, staged in
                let client = try await staged.send("/reports/1")
                try await browser.wait(for: "GET /reports/{id}", in: "#held td")
                #expect(try await browser.text("#held tbody").contains("database"))
                try await staged.fetch("/ping")
                try await browser.wait(for: "GET /ping", in: ".row")
                #expect(try await browser.titles() == ["GET /reports/{id}", "GET /ping"])
                #expect(try await browser.text("#counts").hasPrefix("1 open · 2 shown"))
                app.reports.open()
                _ = try await client.response()
                try await client.close()
                try await browser.wait(for: "Nothing is held.", in: "#held")
                try await browser.wait(until: "document.querySelectorAll('.row[data-state=open]').length === 0")
                #expect(try await browser.titles() == ["GET /ping", "GET /reports/{id}"])
            }
        }

        @Test("can wait while the page is paused")
        func pause() async throws {
            try await withPage { browser, staged in
                try await browser.click("#pause")
                try await browser.wait(until: "document.querySelector('#connection[data-state=paused]')")
                try await staged.fetch("/ping")
                #expect(try await browser.titles() == [])
                try await browser.click("#pause")
                try await browser.wait(for: "GET /ping", in: ".row")
            }
        }

        @Test("The page says that the server is gone, and goes on with the next one")
        func reconnection() async throws {
            try await Browser.with { browser in
                let port = Box(0)
                try await StagedApplication().run { staged in
                    port.update { $0 = staged.port }
                    try await browser.open(staged.page)
                    try await browser.wait(until: "document.querySelector('#connection[data-state=live]')")
                    try await staged.fetch("/ping")
                    try await browser.wait(for: "GET /ping", in: ".row")
                }
                // The server ended gracefully, though the page was watching.
                try await browser.wait(until: "document.querySelector('#connection[data-state=lost]')")
                #expect(try await browser.text("#connection").contains("trying again"))
                try await StagedApplication().run(on: port.value) { staged in
                    try await browser.wait(until: "document.querySelector('#connection[data-state=live]')")
                    try await staged.fetch("/notes/1")
                    try await browser.wait(for: "GET /notes/{id}", in: ".row")
                    #expect(try await browser.titles() == ["GET /notes/{id}"], "what was there is another server's")
                }
            }
        }
    }
}

/// What the tests need of a record.
struct Record: Decodable {
    struct Phase: Decodable {
        let name: String
        let from: Int
        let to: Int?
    }

    struct Acquisition: Decodable {
        let key: String
        let askedAt: String
        let from: Int
        let acquired: Int?
        let releasing: Int?
        let released: Int?
    }

    struct Call: Decodable {
        let kind: String
        let from: Int
        let to: Int?
    }

    let route: String?
    let opened: Int
    let closed: Int?
    let phases: [Phase]
    let acquisitions: [Acquisition]
    let calls: [Call]
}

extension StagedClient {
    /// What the server exports.
    func records() async throws -> [Record] {
        struct Snapshot: Decodable { let requests: [Record] }
        let body = try await fetch("/_requests/export.json").body
        return try JSONDecoder().decode(Snapshot.self, from: Data(body.utf8)).requests
    }
}

/// A bar, by what the page says of it and by where it is: shares of its lane.
private struct Bar: Decodable {
    let kind: String
    let from: Int
    let to: Int
    let left: Double
    let width: Double
}

extension Browser {
    fileprivate func bars() async throws -> [Bar] {
        try await run(
            """
            return [...document.querySelectorAll("#waterfall .bars .bar")].map((bar) => {
                const lane = bar.parentElement.getBoundingClientRect();
                const box = bar.getBoundingClientRect();
                return {
                    kind: bar.classList[1], from: Number(bar.dataset.from), to: Number(bar.dataset.to),
                    left: (box.left - lane.left) / lane.width, width: box.width / lane.width,
                };
            });
            """
        )
    }
}

extension [Bar] {
    /// Expects a bar of a kind to be from one time to another, as a picture of a span of time.
    fileprivate func expect(
        _ kind: String,
        _ from: Int,
        _ to: Int,
        in span: ClosedRange<Int>,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        guard let bar = first(where: { $0.kind == kind && $0.from == from && $0.to == to }) else {
            Issue.record("no bar \(kind) from \(from) to \(to) in \(self)", sourceLocation: sourceLocation)
            return
        }
        let length = Double(span.upperBound - span.lowerBound)
        // A bar is at least two pixels wide, of some hundreds.
        #expect(abs(bar.left - Double(from - span.lowerBound) / length) < 0.008, sourceLocation: sourceLocation)
        #expect(abs(bar.width - Double(to - from) / length) < 0.01, sourceLocation: sourceLocation)
    }
}
#endif
