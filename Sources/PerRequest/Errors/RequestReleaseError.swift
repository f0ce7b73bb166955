/// Thrown when a body succeeded and releasing what it had acquired did not.
///
/// `withRequestStore` throws it when its body succeeded; the body's own error is never replaced by it. What the request
/// did may be undone, wholly or in part: look at ``outcome``.
public struct RequestReleaseError: Error {
    /// The request's id.
    public let request: String

    /// What became of the request.
    public let outcome: RequestOutcome

    /// The releases that failed, in the order in which they did.
    ///
    /// Empty where all that went wrong is that they took too long together.
    public var failures: [ReleaseFailure] { outcome.releaseFailures }

    init(request: String, outcome: RequestOutcome) {
        self.request = request
        self.outcome = outcome
    }
}

extension RequestReleaseError: CustomStringConvertible {
    /// The request, what it means, and each resource that could not be released.
    public var description: String {
        let list = failures.isEmpty ? "they took too long" : failures.map { "\($0)" }.joined(separator: "; ")
        return """
            request \(request): it succeeded, and its releases did not, so that what it did may be undone, wholly or in part: \
            \(list)
            """
    }
}
