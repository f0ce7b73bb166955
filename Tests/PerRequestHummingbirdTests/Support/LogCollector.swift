#if Hummingbird
import Logging
import Synchronization

/// Collects the lines of a log.
struct LogCollector: LogHandler {
    final class Lines: Sendable {
        private let lines = Mutex<[(level: Logger.Level, text: String)]>([])

        var all: [(level: Logger.Level, text: String)] { lines.withLock { $0 } }

        var errors: [String] { all.filter { $0.level >= .error }.map(\.text) }

        func append(_ level: Logger.Level, _ text: String) { lines.withLock { $0.append((level, text)) } }
    }

    let lines: Lines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    var metadataProvider: Logger.MetadataProvider?

    init(_ lines: Lines) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        lines.append(
            event.level,
            "\(event.message) \(all.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " "))"
        )
    }
}

#endif
