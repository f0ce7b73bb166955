#if Tracing
import InMemoryTracing
import PerRequest
import PerRequestTestSupport
import PerRequestTracing
import Testing
import Tracing

@Suite("Spans of requests")
struct RequestTracingTests {
    @Test("are inside of the request's span, and of the acquisition that asked")
    func nesting() async throws {
        let tracer = InMemoryTracer(idGenerator: .incrementing)
        let connection = RequestResource("connection") {
            1
        } release: { _, _ in
        }
        let transaction = RequestResource("transaction", released: .beforeResponse) {
            try await connection.get()
        } release: { _, _ in
            throw TestError("commit")
        }
        _ = try? await tracer.withSpan("request") { _ in
            try await withRequestStore(id: "42", observers: [RequestTracing(tracer: tracer)]) { _ in
                _ = try await transaction.get(fileID: "App/Route.swift", line: 7)
            }
        }
        #expect(tracer.activeSpans.isEmpty)
        let spans = tracer.finishedSpans
        let request = try #require(spans.first { $0.operationName == "request" })
        let acquire = try #require(spans.first { $0.operationName == "acquire transaction" })
        #expect(spans.allSatisfy { $0.traceID == request.traceID })
        #expect(
            spans.map(\.operationName) == [
                "acquire connection", "acquire transaction", "hold transaction", "release transaction",
                "hold connection",
                "release connection", "request",
            ]
        )
        for span in spans where span.operationName.hasSuffix("transaction") {
            #expect(span.parentSpanID == request.spanID)
            #expect(span.attributes.get("request_store.request") == "42")
            #expect(span.attributes.get("code.line.number") == 7)
        }
        #expect(spans.first { $0.operationName == "acquire connection" }?.parentSpanID == acquire.spanID)
        let release = try #require(spans.first { $0.operationName == "release transaction" })
        #expect(release.errors.count == 1)
        #expect(release.status?.code == .error)
    }

    @Test("of what waits have a link to what they wait for")
    func links() async throws {
        let tracer = InMemoryTracer(idGenerator: .incrementing)
        let (start, starting) = AsyncStream<Void>.makeStream()
        let (end, ending) = AsyncStream<Void>.makeStream()
        let slow = RequestResource("slow") {
            starting.finish()
            for await _ in end {}
            return 1
        } release: { _, _ in
        }
        try await withRequestStore(observers: [RequestTracing(tracer: tracer)]) { store in
            async let first = slow.get(in: store)
            for await _ in start {}
            async let second = slow.get(in: store)
            while !tracer.activeSpans.contains(where: { $0.operationName == "wait slow" }) { await Task.yield() }
            ending.finish()
            _ = try await (first, second)
        }
        let wait = try #require(tracer.finishedSpans.first { $0.operationName == "wait slow" })
        let acquire = try #require(tracer.finishedSpans.first { $0.operationName == "acquire slow" })
        #expect(wait.links.map { $0.context.inMemorySpanContext?.spanID } == [acquire.spanID])
        #expect(tracer.activeSpans.isEmpty)
    }
}
#endif
