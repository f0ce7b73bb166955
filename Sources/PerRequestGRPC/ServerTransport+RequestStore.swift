#if GRPC
public import GRPCCore
public import PerRequest

extension ServerTransport {
    /// A transport that gives every RPC a store: ``RequestStoreTransport``.
    ///
    /// ```swift
    /// GRPCServer(transport: .requestStore(.http2NIOPosix(…)), services: […], interceptors: [RequestStoreInterceptor()])
    /// ```
    ///
    /// - Parameters:
    ///   - base: The transport that does the work.
    ///   - limits: How long the releases of an RPC may take in all.
    ///   - observers: See what the RPCs' stores do.
    ///   - report: Gets what went wrong and that no caller was told; `RequestReport.setHandler(_:)` by default. It is
    ///     called synchronously from any task or thread and must not block.
    ///   - background: Runs what RPCs leave for after their status. The application runs it as a service.
    public static func requestStore<Base: ServerTransport>(
        _ base: Base,
        limits: RequestLimits = RequestLimits(),
        observers: [any RequestObserver] = [],
        report: (@Sendable (RequestReport) -> Void)? = nil,
        background: BackgroundWork? = nil
    ) -> Self where Self == RequestStoreTransport<Base> {
        RequestStoreTransport(base, limits: limits, observers: observers, report: report, background: background)
    }
}
#endif
