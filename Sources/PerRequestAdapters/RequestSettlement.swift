public import PerRequest

/// What an adapter learns from settling: whether it may write the response that the handler intended.
public struct RequestSettlement: Sendable {
    @usableFromInline let settlement: StoreSettlement

    @inlinable
    init(_ settlement: StoreSettlement) {
        self.settlement = settlement
    }

    /// What became of the request so far.
    public var outcome: RequestOutcome { settlement.outcome }

    /// Why the success that the handler intended cannot be promised, or `nil` where it can: a release before the
    /// response failed or overran, or a resource was lost.
    ///
    /// The adapter writes an error instead.
    public var failure: RequestReleaseError? { settlement.failure }

    /// The status of that error, in the protocol of the status that was intended: HTTP 500 or gRPC 13 (internal) after a
    /// failure; HTTP 503 or gRPC 14 (unavailable) after an overrun, since whether it took effect is unknown.
    public var replacement: RequestStatus? { settlement.replacement }
}
