#if GRPC
import GRPCCore
import GRPCInProcessTransport
import GRPCNIOTransportCore
import GRPCNIOTransportHTTP2Posix
import PerRequest
import PerRequestGRPC

/// What carries the RPCs of a test.
enum Wire: CaseIterable {
    case inProcess
    case http2
}

/// Makes RPCs of the test service.
struct Caller: Sendable {
    typealias Produce = @Sendable (RPCWriter<String>) async throws -> Void
    typealias Consume = @Sendable (StreamingClientResponse<String>) async throws -> [String]

    private let perform: @Sendable (String, Metadata, @escaping Produce, @escaping Consume) async throws -> [String]

    /// Stops the server as `beginGracefulShutdown()` does.
    let beginGracefulShutdown: @Sendable () -> Void

    init<Transport: ClientTransport>(_ client: GRPCClient<Transport>, shutdown: @escaping @Sendable () -> Void) {
        beginGracefulShutdown = shutdown
        // On a busy machine a connection may need a second attempt.
        var options = CallOptions.defaults
        options.waitForReady = true
        perform = { [options] method, metadata, produce, consume in
            try await client.bidirectionalStreaming(
                request: StreamingClientRequest(metadata: metadata, producer: produce),
                descriptor: MethodDescriptor(fullyQualifiedService: TestService.name, method: method),
                serializer: Text(),
                deserializer: Text(),
                options: options,
                onResponse: consume
            )
        }
    }

    /// Sends messages and returns those of the response.
    ///
    /// - Throws: An `RPCError` for every status but OK.
    func call(
        _ method: String,
        _ messages: [String] = ["hello"],
        metadata: Metadata = [:]
    ) async throws -> [String] {
        try await stream(method, metadata: metadata) { writer in
            try await writer.write(contentsOf: messages)
        } consume: { response in
            var received: [String] = []
            for try await message in response.messages { received.append(message) }
            return received
        }
    }

    /// Makes an RPC message by message.
    func stream(
        _ method: String,
        metadata: Metadata = [:],
        produce: @escaping Produce,
        consume: @escaping Consume
    ) async throws -> [String] {
        try await perform(method, metadata, produce, consume)
    }
}

/// Runs a server and a client of it for as long as `body` runs.
///
/// - Parameter relay: Stands between the two on a real connection, to cut it.
func withService(
    over wire: Wire,
    _ methods: [String: Handler],
    interceptors: [any ServerInterceptor] = [RequestStoreInterceptor()],
    observers: [any RequestObserver] = [],
    limits: RequestLimits = RequestLimits(),
    report: @escaping @Sendable (RequestReport) -> Void = { _ in },
    background: BackgroundWork? = nil,
    relay: Relay? = nil,
    _ body: @Sendable (Caller) async throws -> Void
) async throws {
    let services = [TestService(methods: methods)]
    switch wire {
    case .inProcess:
        let transport = InProcessTransport()
        try await withGRPCServer(
            transport: .requestStore(
                transport.server,
                limits: limits,
                observers: observers,
                report: report,
                background: background
            ),
            services: services,
            interceptors: interceptors
        ) { server in
            try await withGRPCClient(transport: transport.client) { client in
                try await body(Caller(client) { server.beginGracefulShutdown() })
            }
        }
    case .http2:
        try await withGRPCServer(
            transport: .requestStore(
                .http2NIOPosix(address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext),
                limits: limits,
                observers: observers,
                report: report,
                background: background
            ),
            services: services,
            interceptors: interceptors
        ) { server in
            var port = try await server.transport.base.listeningAddress.ipv4?.port ?? 0
            if let relay { port = try await relay.start(to: port) }
            try await withGRPCClient(
                transport: .http2NIOPosix(
                    target: .ipv4(address: "127.0.0.1", port: port),
                    transportSecurity: .plaintext
                )
            ) { client in
                try await body(Caller(client) { server.beginGracefulShutdown() })
            }
        }
    }
}
#endif
