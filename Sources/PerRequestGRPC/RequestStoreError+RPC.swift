#if GRPC
public import GRPCCore
public import PerRequest

/// gRPC's status for a store error that nobody caught: `unavailable` where a resource could not be acquired in time,
/// `resourceExhausted` or `unavailable` where work after the response was refused, and `internalError` for a mistake.
extension RequestStoreError: RPCErrorConvertible {
    /// `unavailable`, `resourceExhausted` or `internalError`.
    public var rpcErrorCode: RPCError.Code {
        switch reason {
        case .acquireTimedOut, .backgroundWorkNotRunning: .unavailable
        case .backgroundWorkFull: .resourceExhausted
        default: .internalError
        }
    }

    /// A sentence without details: what went wrong is for the log.
    public var rpcErrorMessage: String {
        rpcErrorCode == .internalError ? "The RPC could not be completed." : "A resource is not available."
    }
}
#endif
