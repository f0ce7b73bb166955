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

    /// The handler of the request's logger.
    ///
    /// Outside a request, after it, and before Hummingbird has made one: the process's default.
    private var base: any LogHandler {
        Exchange.current?.log.logger?.handler ?? Self.fallback.handler
    }

    private static let fallback = Logger(label: "PerRequest")

    func log(event: LogEvent) {
        var event = event
        var metadata = ownMetadata
        if let provided = ownProvider?.get() { metadata.merge(provided) { own, _ in own } }
        if !metadata.isEmpty { event.metadata = metadata.merging(event.metadata ?? [:]) { _, new in new } }
        base.log(event: event)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { ownMetadata[key] ?? base[metadataKey: key] }
        set { ownMetadata[key] = newValue }
    }

    var metadata: Logger.Metadata {
        get { base.metadata.merging(ownMetadata) { _, own in own } }
        set { ownMetadata = newValue }
    }

    var logLevel: Logger.Level {
        get { ownLevel ?? base.logLevel }
        set { ownLevel = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { ownProvider ?? base.metadataProvider }
        set { ownProvider = newValue }
    }
}
#endif
