#if GRPC
public import GRPCCore

/// ``RequestStoreInterceptor`` runs in a server whose transport is not a ``RequestStoreTransport``.
public struct MissingRequestStoreTransport: Error {}

extension MissingRequestStoreTransport: CustomStringConvertible {
    /// What is missing and where to add it.
    public var description: String {
        """
        PerRequest: RequestStoreInterceptor found no request store. Wrap the server's transport: \
        `GRPCServer(transport: .requestStore(.http2NIOPosix(…)), …)`.
        """
    }
}

extension MissingRequestStoreTransport: RPCErrorConvertible {
    /// `internalError`.
    public var rpcErrorCode: RPCError.Code { .internalError }

    /// The description: a mistake of the set-up has to be found, and tells nothing about a client's data.
    public var rpcErrorMessage: String { description }
}
#endif
