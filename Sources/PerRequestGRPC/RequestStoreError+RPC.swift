#if GRPC
public import GRPCCore
public import PerRequest

/// gRPC's status for a store error that nobody caught: `unavailable` where a resource could not be acquired in time,
/// `internalError` for a mistake.
extension RequestStoreError: RPCErrorConvertible {
    /// `unavailable` or `internalError`.
    public var rpcErrorCode: RPCError.Code {
        if case .acquireTimedOut = reason { .unavailable } else { .internalError }
    }

    /// A sentence without details: what went wrong is for the log.
    public var rpcErrorMessage: String {
        if case .acquireTimedOut = reason { "A resource is not available." } else { "The RPC could not be completed." }
    }
}
#endif
