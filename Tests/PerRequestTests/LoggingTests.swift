#if Logging
import Logging
import PerRequest
import Synchronization
import Testing

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
