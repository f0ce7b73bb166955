/// What an adapter learns from settling: whether it may write the response that the handler intended.
///
/// `RequestSettlement` of `PerRequestAdapters` is the public form, and says what each of it is.
@usableFromInline
package struct StoreSettlement: Sendable {
    package let outcome: RequestOutcome
    package let failure: RequestReleaseError?
    package var replacement: RequestStatus? { failure == nil ? nil : outcome.status }
}
