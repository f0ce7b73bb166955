#if GRPC
public import GRPCCore

/// The RPC that the running code serves, reachable wherever its store is.
///
/// **Lifetime.** All of it is `nil` outside an RPC and after it.
///
/// **Isolation.** It may be read from any task, and from callbacks that carry a `RequestSnapshot`.
public enum CurrentRPC {
    /// The RPC's context: its method, its peers, its cancellation.
    public static var context: ServerContext? { RPCExchange.current?.context }

    /// The metadata that the client sent with the RPC.
    ///
    /// `nil` in a server without ``RequestStoreInterceptor``.
    public static var metadata: Metadata? { RPCExchange.current?.metadata }
}
#endif
