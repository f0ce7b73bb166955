/// When a resource is released.
///
/// When a point begins, nothing of that point or an earlier one can be acquired any more. What is held stays readable
/// until its own release starts. The releases of a point run one at a time, the last acquired first, all of them, whatever
/// throws, and shielded from the request's cancellation.
@nonexhaustive
public enum ReleasePoint: Hashable, Sendable {
    /// After the handler has returned and before the response's head is written.
    ///
    /// A release that fails here turns the response into an error: the place for a commit.
    case beforeResponse

    /// After the last byte of the response was written, or could not be written.
    case afterResponse
}
