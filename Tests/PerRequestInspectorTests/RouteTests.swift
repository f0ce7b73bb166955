#if Inspector
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import PerRequest
import PerRequestHummingbird
import PerRequestTestSupport
import Testing

@testable import PerRequestInspector

@Suite("The inspector's routes")
struct RouteTests {
    let inspector = RequestInspector()
    let router = RequestStoreRouter()
    let watch = Watch()

    static let paths = [
        ("/_requests/", "text/html; charset=utf-8"), ("/_requests/inspector.css", "text/css; charset=utf-8"),
        ("/_requests/inspector.js", "text/javascript; charset=utf-8"), ("/_requests/snapshot", "application/json"),
        ("/_requests/export.json", "application/json"), ("/_requests/trace.json", "application/json"),
    ]

    @Test("answer GET and HEAD with what lets a browser do nothing but show it", arguments: paths)
    func headers(_ path: String, _ type: String) async throws {
        inspector.mount(on: router)
        try await withInspected(router, inspector) { port, _ in
            let response = try await get(path, on: port)
            let head = try await get(path, on: port, method: "HEAD")
            for response in [response, head] {
                #expect(response.status == 200)
                #expect(response.headers["content-type"] == type)
                #expect(
                    response.headers["content-security-policy"] == """
                        default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                        base-uri 'none'; form-action 'none'; frame-ancestors 'none'
                        """
                )
                #expect(response.headers["x-content-type-options"] == "nosniff")
                #expect(response.headers["referrer-policy"] == "no-referrer")
                #expect(response.headers["cache-control"] == "no-store")
            }
            #expect(!response.body.isEmpty)
            #expect(head.body.isEmpty)
            if path.contains("export") || path.contains("trace") {
                #expect(response.headers["content-disposition"]?.hasPrefix("attachment; filename=") == true)
            }
        }
    }

    @Test("send a browser to where the page's links work, wherever that is")
    func redirect() async throws {
        inspector.mount(on: router.group("internal"), at: "requests")
        try await withInspected(router, inspector) { port, _ in
            let response = try await get("/internal/requests", on: port)
            #expect(response.status == 307)
            #expect(response.headers["location"] == "./requests/")
            #expect(try await get("/internal/requests/", on: port).status == 200)
            #expect(try await kept(on: port, at: "/internal/requests/snapshot").requests.isEmpty)
        }
    }

    @Test("answer HEAD of a stream without one")
    func headOfStream() async throws {
        inspector.mount(on: router)
        try await withInspected(router, inspector) { port, _ in
            let response = try await get("/_requests/events", on: port, method: "HEAD")
            #expect(response.status == 200)
            #expect(response.headers["content-type"] == "text/event-stream")
        }
    }

    @Test("are neither shown nor kept, whatever spelling of them is asked for, and other observers see them")
    func ownRequests() async throws {
        let seen = Noticing.count(9) { if case .closed = $0.kind { true } else { false } }
        let told = Noticing.count(1) { _ in true }
        let mounted = RequestInspector()
        mounted.mount(on: router)
        mounted.mount(on: router.group("below"), at: "/inspector")
        try await withInspected(router, mounted, observers: [seen.observer, told.observer]) { port, _ in
            let paths = [
                "/_requests", "/_requests/", "/_requests?", "/_requests/snapshot", "//_requests///snapshot",
                "/_requests/nothing", "/_requests/trace.json?id=1", "/below/inspector/", "/below/inspector/export.json",
            ]
            for path in paths { _ = try await get(path, on: port) }
            await seen.gate.pass()
            #expect(mounted.look().timelines.isEmpty)
            #expect(try await get("/_requestsof", on: port).status == 404)
            #expect(try await get("/below", on: port).status == 404)
        }
        #expect(mounted.look().timelines.count == 2, "what only begins like it is another's")
    }

    @Test("are seen by another inspector, and not by the one they are of")
    func twoInspectors() async throws {
        let other = RequestInspector()
        inspector.mount(on: router)
        other.mount(on: router, at: "/_other")
        let closed = Noticing.count(3) { if case .closed = $0.kind { true } else { false } }
        router.get("seen") { _, _ in "by both" }
        try await withInspected(router, inspector, observers: [other, closed.observer]) { port, _ in
            for path in ["/seen", "/_requests/snapshot", "/_other/snapshot"] {
                let answer = try await get(path, on: port)
                #expect(answer.status == 200)
            }
            await closed.gate.pass()
        }
        #expect(inspector.look().timelines.map(\.served?.route) == ["/_other/snapshot", "/seen"])
        #expect(other.look().timelines.map(\.served?.route) == ["/_requests/snapshot", "/seen"])
    }

    @Test("are one request's, where one is asked for; of none, where there is none")
    func one() async throws {
        inspector.mount(on: router)
        router.get("one") { _, _ in "1" }
        router.get("two") { _, _ in "2" }
        try await withInspected(router, inspector, observers: [watch]) { port, _ in
            for path in ["/one", "/two"] { _ = try await get(path, on: port) }
            _ = await (watch.nextOutcome(), watch.nextOutcome())
            let two = try #require(try await kept(on: port).request("/two"))
            let export = try await kept(on: port, at: "/_requests/export.json?id=\(two.id)")
            #expect(export.requests.map(\.route) == ["/two"])
            for id in ["0", "x", "", "99999999999999999999"] {
                #expect(try await kept(on: port, at: "/_requests/export.json?id=\(id)").requests.isEmpty)
            }
            let trace = try await get("/_requests/trace.json?id=\(two.id)", on: port).body
            #expect(trace.contains("/two"))
            #expect(!trace.contains("/one"))
        }
    }

    @Test("make nothing of what a name, an id or an error has in it")
    func hostileNames() async throws {
        let markup = "</script><img src=x onerror=alert(1)>\"'&\u{2028}\u{202e}\u{0}"
        let key = watch.resource(markup)
        let local = RequestLocal<String?>(markup, logged: { $0 })
        inspector.mount(on: router)
        try await withRequestStore(id: markup, observers: [inspector]) { _ in
            try local.set(markup)
            _ = try await key.get()
        }
        try? await withRequestStore(observers: [inspector]) { _ in throw TestError(markup) }
        try await withInspected(router, inspector) { port, _ in
            for path in ["/_requests/snapshot", "/_requests/trace.json"] {
                let body = try await get(path, on: port).body
                #expect(!body.contains("<") && !body.contains(">") && !body.contains("&"))
                #expect(!body.unicodeScalars.contains { $0.value < 0x20 || $0 == "\u{2028}" })
                #expect(try JSONSerialization.jsonObject(with: Data(body.utf8)) is [String: Any])
            }
            let requests = try await kept(on: port).requests
            #expect(requests.map(\.name).contains(markup))
            #expect(requests.last?.acquisitions.map(\.key) == [markup])
            #expect(requests.last?.values.map(\.name) == [markup])
            #expect(requests.last?.values.map(\.value) == [markup])
        }
    }

    @Test("give a trace whose events lie where they happened, one row for each thing")
    func trace() async throws {
        let connection = watch.resource("connection")
        inspector.mount(on: router)
        router.get("traced") { _, _ in try await connection.use { $0 } }
        try await withInspected(router, inspector, observers: [watch]) { port, _ in
            #expect(try await get("/traced", on: port).status == 200)
            #expect(await watch.nextOutcome() != nil)
            let request = try #require(try await kept(on: port).request("/traced"))
            let json = try await get("/_requests/trace.json", on: port).body
            let trace = try JSONDecoder().decode(ChromeTrace.self, from: Data(json.utf8))
            #expect(trace.displayTimeUnit == "ms")
            let events = trace.traceEvents.filter { $0.ph == "X" }
            #expect(Set(trace.traceEvents.map(\.pid)) == [1])
            let whole = try #require(events.first { $0.name == "GET /traced" })
            #expect(whole.ts == request.opened)
            #expect(whole.dur == request.closed.map { $0 - request.opened })
            let hold = try #require(events.first { $0.name == "hold connection" })
            #expect(hold.ts == request.acquisition("connection")?.acquired)
            #expect(events.map(\.name).contains("use connection"))
            #expect(events.map(\.name).contains("handler"))
            #expect(Set(trace.traceEvents.filter { $0.ph == "M" }.map(\.tid)) == Set(events.map(\.tid)))
        }
    }

    struct ChromeTrace: Decodable {
        let displayTimeUnit: String
        let traceEvents: [Event]

        struct Event: Decodable {
            let ph, name: String
            let pid, tid: Int
            let ts, dur: Int?
        }
    }
}
#endif
