#if Logging
import Logging
import Synchronization
import Testing

@testable import PerRequest

@Suite("Reports in swift-log, with the trait Logging (rules 13, 18 and 21)")
struct LoggingTests {
    /// What has been logged under the label `PerRequest` in this process.
    private final class Log: Sendable {
        static let shared = Log()

        private let events = Lock<[LogEvent]>([])

        private init() {
            LoggingSystem.bootstrap { label in
                if label == "PerRequest" { return Handler(log: self) }
                return StreamLogHandler.standardError(label: label)
            }
        }

        func keep(_ event: LogEvent) { events.withLock { $0.append(event) } }

        func events(of request: String) -> [LogEvent] {
            events.withLock { $0.filter { $0.metadata?["request"] == "\(request)" } }
        }
    }

    private struct Handler: LogHandler {
        let log: Log
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        func log(event: LogEvent) { log.keep(event) }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
    }

    @Test("Rule 18: a release that throws is logged as an error, with the request, the resource and its place")
    func releaseFailed() async throws {
        let log = Log.shared
        let failing = RequestResource("failing") {
            1
        } release: { _, _ in
            throw TestError("release")
        }
        await #expect(throws: RequestReleaseError.self) {
            try await withRequestStore(id: "LoggingTests.releaseFailed") { _ in _ = try await failing.get() }
        }
        let events = log.events(of: "LoggingTests.releaseFailed")
        let event = try #require(events.first)
        #expect(events.count == 1)
        #expect(event.level == .error)
        #expect("\(event.message)".contains("a release failed"))
        #expect(event.metadata?["resource"] == "failing")
        #expect("\(try #require(event.metadata?["acquiredAt"]))".contains("LoggingTests.swift:"))
    }

    /// What some drivers' errors are like.
    private struct Terse: Error, CustomStringConvertible, CustomDebugStringConvertible {
        var description: String { "generic description" }
        var debugDescription: String { "Terse(code: 57014)" }
    }

    @Test("an error keeps its detail, of a release and of a job")
    func errors() async throws {
        let log = Log.shared
        let failing = RequestResource("failing") {
            1
        } release: { _, _ in
            throw Terse()
        }
        _ = try? await withRequestStore(id: "LoggingTests.errors") { store in
            try store.afterResponse("job", .always) { throw Terse() }
            _ = try await failing.get()
        }
        let events = log.events(of: "LoggingTests.errors")
        #expect(events.map { $0.metadata?["error"] } == ["Terse(code: 57014)", "Terse(code: 57014)"])
    }

    @Test("a logger with the provider knows the request and the values that are marked, and no other")
    func provider() async throws {
        enum Current {
            static let tenant = RequestLocal<String?>("tenant", logged: { $0.uppercased() })
            static let locale = RequestLocal("locale", default: "en", logged: { $0 })
            static let password = RequestLocal<String?>("password")
        }
        let provider = Logger.MetadataProvider.requestStore
        let detached = try await withRequestStore(id: "one\nline") { _ in
            #expect(provider.get() == ["request": "one\\nline"])
            try Current.tenant.set("acme")
            try Current.password.set("secret")
            #expect(Current.locale.value == "en")
            #expect(
                provider.get() == ["request": "one\\nline", "tenant": "ACME"],
                "what was set, as its key says"
            )
            try Current.locale.set("de\u{202E}")
            #expect(provider.get()["locale"] == "de\\u{202E}")
            try await withRequestStore(.child) { child in
                #expect(provider.get()["request"] == "\(child.id.onOneLine)")
                #expect(provider.get()["tenant"] == "ACME")
            }
            try Current.tenant.set(nil)
            #expect(provider.get()["tenant"] == nil)
            return RequestSnapshot()
        }
        #expect(detached.run { provider.get() } == ["request": "one\\nline"], "nothing is left of it but its id")
        #expect(provider.get() == [:])
    }

    @Test("Rule 21: a resource that is held for too long is logged as a warning")
    func heldTooLong() async throws {
        let log = Log.shared
        let held = RequestResource("held", limits: .init(hold: .milliseconds(1))) {
            1
        } release: { _, _ in
        }
        try await withRequestStore(id: "LoggingTests.heldTooLong") { store in
            _ = try await held.get()
            while log.events(of: store.id).isEmpty { await Task.yield() }
        }
        let events = log.events(of: "LoggingTests.heldTooLong")
        #expect(events.map(\.level) == [.warning])
        #expect(events.first?.metadata?["resource"] == "held")
    }
}
#endif
