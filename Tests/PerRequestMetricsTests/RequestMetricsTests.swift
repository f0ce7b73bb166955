#if Metrics
import Metrics
import MetricsTestKit
import PerRequest
import PerRequestMetrics
import PerRequestTestSupport
import Testing

@Suite("Metrics of requests")
struct RequestMetricsTests {
    @Test("count what is open and held, and time what has ended, by key and outcome")
    func request() async throws {
        let test = TestMetrics()
        let metrics = RequestMetrics(factory: test)
        let connection = RequestResource("connection") {
            1
        } release: { _, _ in
        }
        let failing = RequestResource<Int>("failing") {
            throw TestError()
        } release: { _, _ in
        }
        try await withRequestStore(observers: [metrics]) { _ in
            #expect(test.meter("request_store.requests.open")?.lastValue == 1)
            _ = try await connection.get()
            _ = try? await failing.get()
            try await withRequestStore(.child) { _ in }
            #expect(test.meter("request_store.resources.held", [("key", "connection")])?.lastValue == 1)
        }
        try? await withRequestStore(observers: [metrics]) { _ in throw TestError() }
        #expect(test.meter("request_store.requests.open")?.lastValue == 0)
        #expect(test.meter("request_store.resources.held", [("key", "connection")])?.lastValue == 0)
        for duration in ["acquisition", "hold", "release"] {
            let timer = test.timer("request_store.\(duration).duration", [("key", "connection")])
            #expect(timer?.values.count == 1)
            #expect((timer?.lastValue ?? -1) >= 0)
        }
        #expect(test.counter("request_store.acquisition.failures", [("key", "failing")])?.totalValue == 1)
        #expect(test.counterTotal(label: "request_store.release.failures") == 0)
        let ended = [("ending", "completed"), ("verdict", "commit")]
        #expect(test.timer("request_store.request.duration", ended)?.values.count == 1, "the child is none")
        let failed = [("ending", "failed"), ("verdict", "rollback")]
        #expect(test.timer("request_store.request.duration", failed)?.values.count == 1)
    }

    @Test("time what ends by itself as held, and count that as a failure")
    func lost() async throws {
        let test = TestMetrics()
        let lost = RequestResource<Int>.around("lost", released: .beforeResponse) { use in
            try await use(1)
        }
        let slow = RequestResource("slow", limits: ResourceLimits(acquire: .milliseconds(1))) {
            try await Task.sleep(for: .seconds(600))
        } release: { _, _ in
        }
        try await withRequestStore(observers: [RequestMetrics(factory: test)]) { _ in
            _ = try await lost.get()
            _ = try? await slow.get()
        }
        #expect(test.timer("request_store.hold.duration", [("key", "lost")])?.values.count == 1)
        #expect(test.counter("request_store.limits.passed", [("limit", "acquisition")])?.totalValue == 1)
    }

    @Test("follow jobs, whose stores are no requests")
    func jobs() async throws {
        let test = TestMetrics()
        try await withRequestStore(observers: [RequestMetrics(factory: test)]) { store in
            try store.afterResponse("one") {
                #expect(test.meter("request_store.jobs.waiting")?.lastValue == 1)
                #expect(test.meter("request_store.jobs.running")?.lastValue == 1)
                #expect(test.meter("request_store.requests.open")?.lastValue == 0)
            }
            try store.afterResponse("two") { throw TestError() }
            #expect(test.meter("request_store.jobs.waiting")?.lastValue == 2)
        }
        #expect(test.meter("request_store.jobs.waiting")?.lastValue == 0)
        #expect(test.meter("request_store.jobs.running")?.lastValue == 0)
        #expect(test.timer("request_store.job.duration", [("ending", "done")])?.values.count == 1)
        #expect(test.timer("request_store.job.duration", [("ending", "failed")])?.values.count == 1)
    }

    @Test("give labels to so many keys, and to no more")
    func labels() async throws {
        let test = TestMetrics()
        try await withRequestStore(observers: [RequestMetrics(factory: test, keyLimit: 2)]) { _ in
            for name in ["a", "b", "c", "d"] {
                let key = RequestResource(name) {
                    1
                } release: { _, _ in
                }
                _ = try await key.get()
            }
        }
        let keys = test.meters.filter { $0.label == "request_store.resources.held" }.map { $0.dimensions[0].1 }
        #expect(Set(keys) == ["a", "b", "other"])
        #expect(test.timer("request_store.hold.duration", [("key", "other")])?.values.count == 2)
    }
}

extension TestMetrics {
    fileprivate func meter(_ label: String, _ labels: [(String, String)] = []) -> TestMeter? {
        meters(label: label, dimensions: labels).first
    }

    fileprivate func timer(_ label: String, _ labels: [(String, String)]) -> TestTimer? {
        timers(label: label, dimensions: labels).first
    }

    fileprivate func counter(_ label: String, _ labels: [(String, String)]) -> TestCounter? {
        counters(label: label, dimensions: labels).first
    }
}
#endif
