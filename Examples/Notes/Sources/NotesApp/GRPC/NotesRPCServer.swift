import GRPCCore
import GRPCNIOTransportHTTP2Posix
import HTTPTypes
import Hummingbird
import Logging
import PerRequest
import PerRequestGRPC
import PerRequestTracing
import ServiceLifecycle

/// The gRPC server, as a service beside the HTTP server.
struct NotesRPCServer: Service {
    private let server: GRPCServer<RequestStoreTransport<HTTP2ServerTransport.Posix>>
    private let onListening: @Sendable (Int) -> Void

    init(
        port: Int,
        database: any DatabaseClients,
        baggage: RequestBaggage,
        observers: [any RequestObserver],
        work: BackgroundWork,
        logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void
    ) {
        self.onListening = onListening
        server = GRPCServer(
            transport: .requestStore(
                .http2NIOPosix(address: .ipv4(host: "127.0.0.1", port: port), transportSecurity: .plaintext),
                observers: observers,
                report: { logger.error("\($0)") },
                background: work
            ),
            services: [NotesRPCService()],
            interceptors: [
                RequestStoreInterceptor { metadata, _ in
                    try Current.requestID.set(RequestStore.current?.id)
                    try Current.database.set(database)
                    let isNamed = metadata[stringValues: "x-tenant"].contains { _ in true }
                    if isNamed { try Current.tenant.set(Tenant(metadata)) }
                    baggage.receive(metadata[stringValues: "baggage"])
                },
                RPCErrorReply(logger: logger),
            ]
        )
    }

    /// Serves until the application shuts down gracefully, and ends what has begun.
    func run() async throws {
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup { group in
                group.addTask { try await server.serve() }
                if let address = try await server.transport.base.listeningAddress.ipv4 { onListening(address.port) }
                try await group.waitForAll()
            }
        } onGracefulShutdown: {
            server.beginGracefulShutdown()
        }
    }
}

extension Tenant {
    /// The tenant that an RPC's metadata name.
    fileprivate init(_ metadata: Metadata) throws {
        var headers = HTTPFields()
        headers[.tenant] = metadata[stringValues: "x-tenant"].first { _ in true }
        do {
            try self.init(headers)
        } catch {
            throw RPCError(code: .invalidArgument, message: error.body ?? "The tenant is not valid.")
        }
    }
}
