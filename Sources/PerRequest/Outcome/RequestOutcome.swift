/// What became of a request: handed to every release, and to the observer when the request is over.
public struct RequestOutcome: Sendable {
    /// Whether what the request did should last.
    public enum Verdict: Hashable, Sendable {
        /// Keep it.
        case commit
        /// Undo it.
        case rollback
    }

    /// How the request ended.
    ///
    /// The first cause wins.
    @nonexhaustive
    public enum Ending: Sendable {
        /// The handler returned and, once the store is closed, the response was written.
        case completed
        /// The handler, a release before the response, or the writing of the body threw this error.
        case failed(any Error)
        /// The connection was dead when the response was to be written.
        case clientDisconnected
        /// The task that served the request was cancelled, by a shutdown for example.
        case cancelled
        /// The store was dropped without being closed.
        case abandoned
    }

    /// Whether to keep or to undo what the request did.
    ///
    /// Decided when the response is settled; it does not change after.
    public let verdict: Verdict

    /// The response's status: the intended one while settling, the written one afterwards, `nil` where there is none.
    public let status: RequestStatus?

    /// How the request ended, as far as it is known.
    public let ending: Ending

    /// The releases that failed so far, in the order in which they did.
    public let releaseFailures: [ReleaseFailure]
}

extension RequestOutcome: CustomStringConvertible {
    /// The verdict, the status and the ending in one line.
    public var description: String {
        let status = status.map { ", \($0)" } ?? ""
        let failures = releaseFailures.isEmpty ? "" : ", \(releaseFailures.count) failed to release"
        return "\(verdict)\(status), \(ending)\(failures)"
    }
}
