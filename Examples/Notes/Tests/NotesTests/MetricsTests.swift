import CoreMetrics
import HTTPTypes
import Testing

@testable import NotesApp

@Suite("What is measured, as Prometheus reads it", .timeLimit(.minutes(1)))
struct MetricsTests {
    /// What `/metrics` says once no other request is open: also not the one that was answered last.
    private func quietMetrics(_ client: NotesClient) async throws -> Reply {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let reply = try await client.get("/metrics")
            let open = try PrometheusReading(reply.body)["request_store_requests_open"]
            if open == 1 || ContinuousClock.now > deadline { return reply }
        }
    }

    @Test("After some requests, what is open, took and was held is there, with its labels")
    func overHTTP() async throws {
        try await withNotes { client in
            let note = ["title": "A", "body": "b"]
            _ = try await client.get("/")
            #expect(try await client.post("/api/notes", json: note).status == 201)
            #expect(try await client.post("/api/notes?fail=handler", json: note).status == 500)
            #expect(try await client.quietHealth().resources.held == 0)
            let reply = try await quietMetrics(client)
            #expect(reply.status == 200)
            #expect(reply.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            let metrics = try PrometheusReading(reply.body)
            // Its own.
            #expect(metrics["request_store_requests_open"] == 1)
            #expect(metrics.kinds["request_store_request_duration_seconds"] == "histogram")
            let committed = #"{ending="completed",verdict="commit"}"#
            // Its handler threw, whatever the response was.
            let rolledBack = #"{ending="failed",verdict="rollback"}"#
            // The page, the note and at least one that asks for the health.
            #expect(try #require(metrics["request_store_request_duration_seconds_count" + committed]) >= 3)
            #expect(metrics["request_store_request_duration_seconds_count" + rolledBack] == 1)
            // The page's, two for the notes, and one for the job that makes the first findable.
            for key in ["client": 4.0, "transaction": 3] {
                let label = #"{key="\#(key.key)"}"#
                #expect(metrics["request_store_hold_duration_seconds_count" + label] == key.value)
                #expect(metrics["request_store_acquisition_duration_seconds_count" + label] == key.value)
                #expect(metrics["request_store_resources_held" + label] == 0)
                let most = try #require(metrics["request_store_hold_duration_seconds_max" + label])
                #expect(most > 0 && most < 60)
            }
            #expect(metrics["metrics_refused_total"] == 0)
        }
    }

    @Test("A client cannot make labels: not by its tenant, its path or its header")
    func labels() async throws {
        try await withNotes { client in
            let before = try await client.get("/metrics")
            for number in 1...20 { _ = try await client.get("/nowhere-\(number)?q=x", tenant: "tenant-\(number)") }
            _ = try await client.quietHealth()
            let after = try await client.get("/metrics")
            #expect(!after.body.contains("nowhere") && !after.body.contains("tenant-"))
            // All that is new is how long a request takes that is completed.
            let new = try Set(PrometheusReading(after.body).kinds.keys).subtracting(
                PrometheusReading(before.body).kinds.keys
            )
            #expect(new.allSatisfy { $0.hasPrefix("request_store_request_duration_seconds") })
        }
    }

    @Test("Names and labels are written as the format allows, whatever is in them")
    func escaping() throws {
        let registry = MetricsRegistry()
        let dimensions = [("a key", "a \"b\" \\ c\nd}"), ("2", "ü")]
        registry.makeCounter(label: "9 lives.é", dimensions: dimensions).increment(by: 2)
        let metrics = try PrometheusReading(PrometheusText(registry).text)
        #expect(metrics[#"_9_lives___total{a_key="a \"b\" \\ c\nd}",_2="ü"}"#] == 2)
    }

    @Test("Each kind says what was recorded, and buckets count what is below them too")
    func kinds() throws {
        let registry = MetricsRegistry()
        registry.makeMeter(label: "m", dimensions: []).increment(by: 3.0)
        registry.makeMeter(label: "m", dimensions: []).decrement(by: 1.0)
        registry.makeFloatingPointCounter(label: "c", dimensions: []).increment(by: 0.5)
        registry.makeRecorder(label: "last", dimensions: [], aggregate: false).record(Int64(7))
        registry.makeRecorder(label: "all", dimensions: [], aggregate: true).record(70.0)
        let timer = registry.makeTimer(label: "t", dimensions: [("k", "v")])
        for milliseconds in [2, 40, 60_000] { timer.recordNanoseconds(Int64(milliseconds) * 1_000_000) }
        registry.makeRecorder(label: "all", dimensions: [], aggregate: true).record(Double.nan)
        let metrics = try PrometheusReading(PrometheusText(registry).text)
        #expect(metrics["m"] == 2 && metrics["c_total"] == 0.5 && metrics["last"] == 7)
        #expect(metrics["all_count"] == 1 && metrics["all_sum"] == 70)
        #expect(metrics[#"t_seconds_bucket{k="v",le="0.001"}"#] == 0)
        #expect(metrics[#"t_seconds_bucket{k="v",le="0.05"}"#] == 2)
        #expect(metrics[#"t_seconds_bucket{k="v",le="+Inf"}"#] == 3)
        #expect(metrics[#"t_seconds_min{k="v"}"#] == 0.002 && metrics[#"t_seconds_max{k="v"}"#] == 60)
        #expect(metrics.kinds["t_seconds"] == "histogram" && metrics.kinds["m"] == "gauge")
    }

    @Test("There are so many metrics and no more; one that ends makes room; one name has one kind")
    func bounds() throws {
        let registry = MetricsRegistry(limit: 3)
        let counters = (1...5).map { registry.makeCounter(label: "c", dimensions: [("n", "\($0)")]) }
        for counter in counters { counter.increment(by: 1) }
        func reading() throws -> PrometheusReading { try PrometheusReading(PrometheusText(registry).text) }
        #expect(try reading().samples.keys.filter { $0.hasPrefix("c_total") }.count == 3)
        #expect(try reading()["metrics_refused_total"] == 2)
        registry.destroyCounter(counters[0])
        registry.makeTimer(label: "t", dimensions: []).recordNanoseconds(1)
        #expect(try reading()["t_seconds_count"] == 1)
        #expect(try reading()[#"c_total{n="1"}"#] == nil)
        registry.makeMeter(label: "c_total", dimensions: []).set(Int64(9))
        #expect(try reading()["c_total"] == nil)
        #expect(try reading()["metrics_refused_total"] == 3)
    }
}
