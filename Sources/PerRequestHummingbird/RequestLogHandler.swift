#if Hummingbird
import Logging

/// A log handler that writes to the logger of the request it is used in.
///
/// Hummingbird makes a request's logger inside the scope of the request and binds it around the router only. This one
/// can be bound before: it makes `Logger.current` right in streamed bodies and releases too, without wrapping a body.
struct RequestLogHandler: LogHandler {
    /// Bound around every request.
    ///
    /// Made once, so that a request pays for the binding only.
    static let logger = Logger(label: "PerRequest") { _ in RequestLogHandler() }

    private var ownMetadata: Logger.Metadata = [:]
    private var ownLevel: Logger.Level?
    private var ownProvider: Logger.MetadataProvider?

    /// How often this handler forwards within the running call.
    ///
    /// A handler that it forwards to may come back to it: because it reads `Logger.current`, or wraps what that was.
    @TaskLocal private static var depth = 0

    private static let fallback = Logger(label: "PerRequest")

    /// Calls the handler of the request's logger.
    ///
    /// Outside a request, after it, before Hummingbird has made one, and where the request's handler comes back to this one:
    /// the logger of the request around it, or the process's default; standard error, where that comes back too.
    private func forward<Result>(_ body: (any LogHandler) -> Result) -> Result {
        let depth = Self.depth
        let log = Exchange.current?.log
        let base: any LogHandler =
            switch depth {
            case 0: (log?.logger ?? Self.fallback).handler
            case 1: (log?.outerLogger ?? Self.fallback).handler
            default: StreamLogHandler.standardError(label: "PerRequest")
            }
        return Self.forwarding { body(base) }
    }

    /// Runs what uses the logger of a request: this handler, where it comes back to it, does not forward there again.
    static func forwarding<Result>(_ body: () -> Result) -> Result {
        $depth.withValue(depth + 1, operation: body)
    }

    func log(event: LogEvent) {
        var event = event
        var metadata = ownMetadata
        if let provided = ownProvider?.get() { metadata.merge(provided) { own, _ in own } }
        if !metadata.isEmpty { event.metadata = metadata.merging(event.metadata ?? [:]) { _, new in new } }
        let complete = event
        forward { $0.log(event: complete) }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { ownMetadata[key] ?? forward { $0[metadataKey: key] } }
        set { ownMetadata[key] = newValue }
    }

    var metadata: Logger.Metadata {
        get { forward(\.metadata).merging(ownMetadata) { _, own in own } }
        set { ownMetadata = newValue }
    }

    var logLevel: Logger.Level {
        get { ownLevel ?? forward(\.logLevel) }
        set { ownLevel = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { ownProvider ?? forward(\.metadataProvider) }
        set { ownProvider = newValue }
    }
}
#endif
