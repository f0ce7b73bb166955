import Synchronization

#if Logging
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Something that went wrong with a store and that no caller was told: for a log.
///
/// Every occurrence is reported once, to the closure that the opener of the store gave, else to the one of
/// ``setHandler(_:)``, else to standard error, or, with the package's trait `Logging`, to swift-log.
public struct RequestReport: Sendable {
    /// What went wrong.
    @nonexhaustive
    public enum Kind: Sendable {
        /// A release threw, overran its limit, or an `around` function ended too early.
        case releaseFailed(ReleaseFailure)
        /// A flight was cancelled and did not end in time.
        ///
        /// Its value is released when it arrives.
        case flightOverran(resource: String, acquiredAt: SourcePosition)
        /// A factory or a release kept its thread for longer than its limit: it could not be cancelled.
        case blocked(resource: String, acquiredAt: SourcePosition, Duration)
        /// The releases of a point did not end within the request's limit.
        ///
        /// They go on without the request. The resources are those that are not released yet.
        case pointOverran(ReleasePoint, Duration, resources: [String])
        /// A resource is still held after its `hold` limit.
        case heldTooLong(resource: String, acquiredAt: SourcePosition, Duration)
        /// A store was dropped while it was open.
        ///
        /// What it held is released now, with the outcome `abandoned`.
        case abandoned(resources: [String])
        /// Work after the response threw.
        case jobFailed(job: String, any Error)
        /// Work after the response was cancelled or given up, because the application shut down.
        case jobCut(job: String)
        /// Of the values that travel with requests, some were not accepted or not sent: which, and why, without the values.
        case notPropagated([String])
    }

    /// The request's id.
    public let request: String

    /// What went wrong.
    public let kind: Kind

    private static let handler = Lock<(@Sendable (RequestReport) -> Void)?>(nil)

    /// Sets where the reports of the process go that the opener of a store does not handle.
    ///
    /// - Parameter handler: Called synchronously from any task or thread; it must not block. `nil` restores the default,
    ///   which writes to standard error, or, with the trait `Logging`, to a logger labelled `PerRequest`.
    public static func setHandler(_ handler: (@Sendable (RequestReport) -> Void)?) {
        // Letting the one go that is replaced may run a user's code, which may report.
        let replaced = self.handler.withLock { current in
            defer { current = handler }
            return current
        }
        withExtendedLifetime(replaced) {}
    }

    static func handle(_ report: RequestReport) {
        if let handler = handler.withLock({ $0 }) { handler(report) } else { handleByDefault(report) }
    }

    #if Logging
    private static func handleByDefault(_ report: RequestReport) { report.log() }
    #else
    private static func handleByDefault(_ report: RequestReport) { writeToStandardError(report) }

    private static func writeToStandardError(_ report: RequestReport) {
        let line = "PerRequest: \(report)\n"
        unsafe line.withCString { text in
            let count = unsafe strlen(text)
            _ = unsafe write(STDERR_FILENO, text, count)
        }
    }
    #endif
}
