#if Logging
public import Logging

extension Logger.MetadataProvider {
    /// Gives loggers the current request's id, as `request`, and the values whose keys are declared with `logged:`, under the
    /// names of their keys.
    ///
    /// ```swift
    /// LoggingSystem.bootstrap(StreamLogHandler.standardError, metadataProvider: .requestStore)
    /// ```
    ///
    /// No other value of a store is ever logged. Outside a request it gives nothing; in a task that has outlived its request,
    /// the id alone. What cannot be read on one line is escaped.
    public static var requestStore: Logger.MetadataProvider {
        Logger.MetadataProvider {
            guard let store = RequestStore.current else { return [:] }
            var metadata: Logger.Metadata = ["request": "\(store.id.onOneLine)"]
            for (name, value) in LoggedValues.visible(in: store.core) { metadata[name] = "\(value.onOneLine)" }
            return metadata
        }
    }
}
#endif
