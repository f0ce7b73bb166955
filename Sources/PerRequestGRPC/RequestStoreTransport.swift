#if GRPC
public import GRPCCore
public import PerRequest

/// A server transport that gives every RPC a store: wraps the one that does the work.
///
/// ```swift
/// let server = GRPCServer(
///     transport: .requestStore(
///         .http2NIOPosix(address: .ipv4(host: "0.0.0.0", port: 8080), transportSecurity: .plaintext)
///     ),
///     services: [NotesService()],
///     interceptors: [RequestStoreInterceptor()]
/// )
/// ```
///
/// The store is open, and current, in everything that runs for the RPC: interceptors both ways, the handler, and the
/// producer of a streamed response, which runs after the handler has returned. Methods that nobody implements have one too.
/// Every RPC's store is a root, whatever store is current where the server was started.
///
/// **Settling** belongs to the RPC's status, which gRPC sends last: what is released before the response is held while the
/// response's messages are streamed. OK commits and everything else rolls back. A commit that fails replaces the status
/// by `internalError`, and by `unavailable` if it did not end in time: whether it took effect is unknown.
///
/// **Cancellation.** gRPC cancels an RPC through `ServerContext.cancellation` and not through the task; releases see
/// neither. See ``PerRequest/RequestOutcome/Ending`` for what the outcome says then.
///
/// ``RequestStoreInterceptor`` is the other half: it tells the store what a handler threw, before gRPC makes a status of
/// it.
public struct RequestStoreTransport<Base: ServerTransport>: ServerTransport {
    /// The bytes of the transport that does the work.
    public typealias Bytes = Base.Bytes

    /// The transport that does the work, to ask it for its `listeningAddress`, for example.
    public let base: Base

    private let configuration: StoreConfiguration
    private let shutdown = ShutdownFlag()

    /// Wraps a transport.
    ///
    /// - Parameters:
    ///   - base: The transport that does the work.
    ///   - limits: How long the releases of an RPC may take in all.
    ///   - observers: See what the RPCs' stores do.
    ///   - report: Gets what went wrong and that no caller was told; `RequestReport.setHandler(_:)` by default. It is
    ///     called synchronously from any task or thread and must not block.
    ///   - background: Runs what RPCs leave for after their status. The application runs it as a service.
    public init(
        _ base: Base,
        limits: RequestLimits = RequestLimits(),
        observers: [any RequestObserver] = [],
        report: (@Sendable (RequestReport) -> Void)? = nil,
        background: BackgroundWork? = nil
    ) {
        self.base = base
        configuration = StoreConfiguration(limits: limits, observers: observers, report: report, background: background)
    }

    /// Passes the server's context to the transport that does the work.
    public func configure(context: GRPCServerContext) {
        base.configure(context: context)
    }

    /// Listens by the transport that does the work, and opens a scope around every stream that it accepts.
    ///
    /// - Throws: What that transport throws.
    public func listen(
        streamHandler:
            @escaping @Sendable @concurrent (
                _ stream: RPCStream<Inbound, Outbound>,
                _ context: ServerContext
            ) async -> Void
    ) async throws {
        try await base.listen { stream, context in
            await serve(stream, context, streamHandler)
        }
    }

    /// Tells the transport that does the work to accept no new streams.
    public func beginGracefulShutdown() {
        shutdown.begin()
        base.beginGracefulShutdown()
    }
}

extension RequestStoreTransport {
    /// Opens the RPC's scope around all that the server does for it, and closes it after the status.
    private nonisolated(nonsending) func serve(
        _ stream: RPCStream<Inbound, Outbound>,
        _ context: ServerContext,
        _ streamHandler: @Sendable @concurrent (RPCStream<Inbound, Outbound>, ServerContext) async -> Void
    ) async {
        let scope = StoreScope(sharing: configuration)
        let exchange = RPCExchange(context: context, scope: scope, shutdown: shutdown)
        exchange.enter(scope.store)
        let outbound = SettlingWriter(base: stream.outbound, scope: scope, exchange: exchange)
        let scoped = RPCStream<Inbound, Outbound>(
            descriptor: stream.descriptor,
            inbound: stream.inbound,
            outbound: RPCWriter.Closable(wrapping: outbound)
        )
        await scope.run {
            await streamHandler(scoped, context)
            await scope.close(exchange.ending)
        }
    }
}
#endif
