#if Tracing
import InMemoryTracing
import PerRequest
import PerRequestAdapters
import PerRequestTestSupport
import PerRequestTracing
import Testing
import Tracing

/// The keys of a service: each name is a contract, so that it has them once.
enum Shop {
    struct Tenant: Sendable, Equatable, LosslessStringConvertible {
        let description: String

        init?(_ description: String) {
            guard !description.isEmpty, description.utf8.allSatisfy({ (0x61...0x7A).contains($0) }) else { return nil }
            self.description = description
        }
    }

    static let tenant = RequestLocal<Tenant?>("tenant", propagated: "tenant")
    static let priority = RequestLocal("priority", default: 5, propagated: "shop.priority")
    static let secret = RequestLocal<String?>("secret")
    static let text = RequestLocal<String?>("text", propagated: "text")
    static let flags = RequestLocal<Set<String>>(
        "flags",
        default: [],
        propagated: RequestPropagation(
            "flags",
            encode: { $0.isEmpty ? nil : $0.sorted().joined(separator: " ") },
            decode: { Set($0.split(separator: " ").map(String.init)) }
        )
    )

    static func baggage() throws -> RequestBaggage {
        try RequestBaggage(accepting: tenant, priority, flags, text, RequestBaggage.caller)
    }
}

@Suite("Values that travel with requests")
struct RequestBaggageTests {
    private let baggage: RequestBaggage

    init() throws { baggage = try Shop.baggage() }

    /// What a request that gets this header sees, and what is reported of it.
    private func receive(
        _ headers: String...,
        by baggage: RequestBaggage? = nil,
        seeing body: @Sendable @escaping () throws -> Void
    ) async throws -> [String] {
        let reports = Box<[String]>([])
        let scope = RequestScope(id: "2", report: { report in reports.update { $0.append("\(report)") } })
        try await scope.run {
            (baggage ?? self.baggage).receive(headers)
            try body()
        }
        await scope.close()
        return reports.value
    }

    @Test("What was set with a marked key travels, under its name there, and nothing else does")
    func marked() async throws {
        try await withRequestStore(id: "1") { _ in
            #expect(baggage.header() == "request.id=1")
            try Shop.secret.set("hidden")
            _ = Shop.priority.value
            #expect(baggage.header() == "request.id=1")
            try Shop.tenant.set(Shop.Tenant("acme"))
            try Shop.priority.set(7)
            try Shop.flags.set(["b", "a"])
            let members = try #require(baggage.header()).split(separator: ",")
            #expect(Set(members) == ["request.id=1", "tenant=acme", "shop.priority=7", "flags=a%20b"])
            #expect(members.first == "request.id=1")
            try Shop.tenant.set(nil)
            try Shop.flags.set([])
            #expect(baggage.header() == "request.id=1,shop.priority=7")
            let silent = try RequestBaggage(sendsRequestID: false)
            #expect(silent.header() == "shop.priority=7")
        }
        #expect(baggage.header() == nil)
        #expect(requestCarrier(by: baggage) == [:])
    }

    @Test("What arrives is typed, and is the request's; its id stays its own")
    func arrives() async throws {
        let reports = try await receive("request.id=1,tenant=acme,shop.priority=7", "flags=a%20b,secret=x,unknown=%") {
            #expect(Shop.tenant.value == Shop.Tenant("acme"))
            #expect(Shop.priority.value == 7)
            #expect(Shop.flags.value == ["a", "b"])
            #expect(Shop.secret.value == nil)
            #expect(RequestBaggage.caller.value == "1")
            #expect(RequestStore.current?.id == "2")
        }
        #expect(reports == [])
    }

    @Test("Nobody sets what is not accepted, marked or not")
    func unaccepted() async throws {
        let reports = try await receive("tenant=acme,secret=x,request.id=1", by: try RequestBaggage()) {
            #expect(Shop.tenant.value == nil)
            #expect(Shop.secret.value == nil)
            #expect(RequestBaggage.caller.value == nil)
        }
        #expect(reports == [])
    }

    @Test("What the application has set wins, before and after")
    func applicationWins() async throws {
        try await withRequestStore { store in
            try Shop.tenant.set(Shop.Tenant("ours"))
            baggage.receive(["tenant=theirs,shop.priority=7"])
            #expect(Shop.tenant.value == Shop.Tenant("ours"))
            #expect(Shop.priority.value == 7)
            try Shop.priority.set(1)
            #expect(Shop.priority.value == 1)
        }
        try await withRequestStore { store in
            try Shop.tenant.set(nil)
            baggage.receive(["tenant=theirs"])
            #expect(Shop.tenant.value == nil)
        }
    }

    @Test("A request takes what comes first: what is extracted later, for something else, changes nothing")
    func once() async throws {
        let baggage = baggage
        _ = try await receive("tenant=acme") {
            baggage.receive(["tenant=other,shop.priority=7"])
            var context = ServiceContext.topLevel
            baggage.extract(["baggage": "shop.priority=8"], into: &context, using: Fields())
            #expect(Shop.tenant.value == Shop.Tenant("acme"))
            #expect(Shop.priority.value == 5)
        }
    }

    @Test("What is no value is left out and reported once, without the text that came")
    func wrong() async throws {
        let reports = try await receive("tenant=NOT-ONE,shop.priority=many,flags=%zz,text=a,text=b,request.id=") {
            #expect(Shop.tenant.value == nil)
            #expect(Shop.priority.value == 5)
            #expect(Shop.flags.value == [])
            #expect(Shop.text.value == nil)
            #expect(RequestBaggage.caller.value == nil)
        }
        let report = try #require(reports.first)
        #expect(reports.count == 1)
        #expect(report.hasPrefix("request 2: "))
        #expect(report.hasSuffix("[notPropagated]"))
        for problem in [
            "\"tenant\" is no value of its key", "\"shop.priority\" is no value of its key", "\"flags\" is malformed",
            "\"text\" came twice, with different values", "\"request.id\" is no value of its key",
        ] {
            #expect(report.contains(problem))
        }
        #expect(!report.contains("NOT-ONE") && !report.contains("many,") && !report.contains("%zz"))
    }

    @Test("Mistakes in what is accepted are errors at start")
    func mistakes() {
        #expect(throws: RequestBaggageError.self) { try RequestBaggage(accepting: Shop.secret) }
        #expect(throws: RequestBaggageError.self) { try RequestBaggage(accepting: Shop.tenant, Shop.tenant) }
        let other = RequestLocal<String?>("other", propagated: "tenant")
        _ = Shop.tenant
        do {
            _ = try RequestBaggage(accepting: Shop.tenant, other)
            Issue.record("nothing was thrown")
        } catch {
            #expect("\(error)".contains("\"tenant\""))
        }
    }

    @Test("A job has what its request has, and sends it on under its own id")
    func jobs() async throws {
        let seen = Box<[String]>([])
        try await withRequestStore(carriedBy: ["Baggage": "request.id=1,tenant=acme"], by: baggage, id: "2") { _ in
            try RequestStore.afterResponse("index") {
                let header = baggage.header() ?? "none"
                seen.update {
                    $0 = [RequestBaggage.caller.value ?? "none", "\(Shop.tenant.value as Any)", header]
                }
            }
        }
        #expect(seen.value[0] == "1")
        #expect(seen.value[2] == "request.id=2/index,tenant=acme")
    }

    @Test("A message of a queue carries it, with the span, to a job that another process runs")
    func queue() async throws {
        let tracer = InMemoryTracer()
        let instrument = RequestBaggageTracer(baggage, tracer)
        let message = try await instrument.withSpan("request") { _ in
            try await withRequestStore(id: "1") { _ in
                try Shop.tenant.set(Shop.Tenant("acme"))
                return requestCarrier(by: instrument)
            }
        }
        #expect(message["baggage"] == "request.id=1,tenant=acme")
        let traceID = try #require(tracer.finishedSpans.first?.traceID)
        try await withRequestStore(carriedBy: message, by: instrument, id: "job") { store in
            #expect(Shop.tenant.value == Shop.Tenant("acme"))
            #expect(RequestBaggage.caller.value == "1")
            #expect(store.id == "job")
            instrument.withSpan("job") { span in #expect(span.traceID == traceID) }
        }
    }

    @Test("What others have put into a carrier stays, also where injecting replaces it")
    func merging() async throws {
        try await withRequestStore(id: "1") { _ in
            try Shop.tenant.set(Shop.Tenant("acme"))
            var fields = ["Baggage": "theirs=1;p, tenant=other"]
            baggage.inject(.topLevel, into: &fields, using: Replacing())
            #expect(fields["baggage"] == "theirs=1;p,request.id=1,tenant=acme")
        }
    }

    @Test("What cannot be sent is reported, and the rest is sent")
    func outboundLimits() async throws {
        let reports = Box<[String]>([])
        let scope = RequestScope(id: "1", report: { report in reports.update { $0.append("\(report)") } })
        let narrow = try RequestBaggage(limits: .init(bytes: 40))
        try await scope.run {
            try Shop.text.set(String(repeating: "x", count: 40))
            try Shop.tenant.set(Shop.Tenant("acme"))
            #expect(narrow.header() == "request.id=1,tenant=acme")
            try Shop.text.set("a\r\nX-Admin: 1")
            #expect(baggage.header() == "request.id=1,tenant=acme")
        }
        await scope.close()
        #expect(reports.value.count == 2)
        #expect(reports.value.allSatisfy { $0.contains("\"text\" was not sent") && !$0.contains("X-Admin") })
    }

    @Test("Outside a request, after it, and where the store is hidden, nothing travels or arrives")
    func outside() async throws {
        var context = ServiceContext.topLevel
        baggage.extract(["baggage": "tenant=acme"], into: &context, using: Fields())
        #expect(context.isEmpty)
        let store = try await withRequestStore { store in
            try Shop.tenant.set(Shop.Tenant("acme"))
            withoutRequestStore { #expect(requestCarrier(by: baggage) == [:]) }
            return store
        }
        #expect(baggage.header(in: store) == nil)
        baggage.receive(["tenant=acme"], in: store)
        #expect(Shop.tenant.value(in: store) == nil)
    }

    @Test("A child store sends what it sees, and what it sets stays its own")
    func children() async throws {
        try await withRequestStore(id: "1") { _ in
            baggage.receive(["tenant=acme"])
            try await withRequestStore(.child) { child in
                #expect(baggage.header() == "request.id=\(child.id),tenant=acme")
                baggage.receive(["shop.priority=7"])
                #expect(Shop.priority.value == 5)
                try Shop.tenant.set(Shop.Tenant("other"))
                #expect(baggage.header() == "request.id=\(child.id),tenant=other")
            }
            #expect(baggage.header() == "request.id=1,tenant=acme")
        }
    }

    @Test("No request sends what is another's, with many at a time")
    func concurrency() async throws {
        let baggage = baggage
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await withRequestStore(carriedBy: ["baggage": "shop.priority=\(number)"], by: baggage) {
                        store in
                        for _ in 0..<10 {
                            #expect(
                                requestCarrier(by: baggage) == [
                                    "baggage": "request.id=\(store.id),shop.priority=\(number)"
                                ]
                            )
                            await Task.yield()
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Reads a field.
private struct Fields: Extractor {
    func extract(key: String, from fields: [String: String]) -> String? { fields[key] }
}

/// Injects as many do: over what is there.
private struct Replacing: Injector {
    func inject(_ value: String, forKey key: String, into fields: inout [String: String]) { fields[key] = value }
}
#endif
