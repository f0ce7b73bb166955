#if Tracing && GRPC
import GRPCCore
import GRPCInProcessTransport
import InMemoryTracing
import PerRequest
import PerRequestGRPC
import PerRequestTracing
import Testing
import Tracing

@Suite("Values that travel with RPCs", .timeLimit(.minutes(5)))
struct BaggageOverGRPCTests {
    private let tracer: RequestBaggageTracer<InMemoryTracer>

    init() throws { tracer = RequestBaggageTracer(try Shop.baggage(), InMemoryTracer()) }

    @Test("Interceptors that inject and extract carry them, as metadata, with the trace")
    func interceptors() async throws {
        try await withService([RequestStoreInterceptor(), Extracting(instrument: tracer)]) { call in
            try await withRequestStore(id: "1") { _ in
                try Shop.tenant.set(Shop.Tenant("acme"))
                #expect(try await call(Metadata()) == "acme 1")
                // The client's interceptor adds a header; another one says something else.
                #expect(try await call(["baggage": "tenant=other,x=1"]) == "none 1")
            }
            #expect(try await call(Metadata()) == "none none")
        }
    }

    @Test("Without an interceptor for it, the store's own receives them")
    func setUp() async throws {
        let baggage = try Shop.baggage()
        let interceptor = RequestStoreInterceptor { metadata, _ in
            baggage.receive(metadata[stringValues: "baggage"])
        }
        try await withService([interceptor]) { call in
            let received = try await call(["baggage": "tenant=acme;p", "baggage": "request.id=%31"])
            #expect(received == "acme 1")
            let refused = try await call(["Baggage": "tenant=%0a"])
            #expect(refused == "none none")
        }
    }

    /// Runs a server whose one method says what it sees, and calls it.
    private func withService(
        _ interceptors: [any ServerInterceptor],
        _ body: @Sendable (_ call: @Sendable (Metadata) async throws -> String) async throws -> Void
    ) async throws {
        let transport = InProcessTransport()
        let tracer = tracer
        try await withGRPCServer(
            transport: .requestStore(transport.server),
            services: [Seeing()],
            interceptors: interceptors
        ) { _ in
            try await withGRPCClient(
                transport: transport.client,
                interceptors: [Injecting(instrument: tracer)]
            ) { client in
                try await body { metadata in
                    try await client.unary(
                        request: ClientRequest(message: "", metadata: metadata),
                        descriptor: Seeing.method,
                        serializer: Text(),
                        deserializer: Text(),
                        options: .defaults
                    ) { response in try response.message }
                }
            }
        }
    }
}

/// Says which tenant and which caller its RPC sees.
private struct Seeing: RegistrableRPCService {
    static let method = MethodDescriptor(fullyQualifiedService: "test.Seeing", method: "See")

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerHandler(forMethod: Self.method, deserializer: Text(), serializer: Text()) { _, _ in
            let tenant = Shop.tenant.value?.description ?? "none"
            let message = "\(tenant) \(RequestBaggage.caller.value ?? "none")"
            return StreamingServerResponse(single: ServerResponse(message: message))
        }
    }
}

private struct Text: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: String) throws -> Bytes { Bytes(message.utf8) }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> String {
        bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
}

/// Does what the interceptors of grpc-swift-extras do.
private struct Injecting: ClientInterceptor {
    let instrument: any Instrument

    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingClientRequest<Input>,
        context: ClientContext,
        next: @concurrent (StreamingClientRequest<Input>, ClientContext) async throws -> StreamingClientResponse<Output>
    ) async throws -> StreamingClientResponse<Output> {
        var request = request
        instrument.inject(.current ?? .topLevel, into: &request.metadata, using: MetadataCarrier())
        return try await next(request, context)
    }
}

private struct Extracting: ServerInterceptor {
    let instrument: any Instrument

    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>,
        context: ServerContext,
        next:
            @Sendable @concurrent (
                StreamingServerRequest<Input>,
                ServerContext
            ) async throws -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        var service = ServiceContext.topLevel
        instrument.extract(request.metadata, into: &service, using: MetadataCarrier())
        return try await ServiceContext.$current.withValue(service) { try await next(request, context) }
    }
}

private struct MetadataCarrier: Injector, Extractor {
    func inject(_ value: String, forKey key: String, into metadata: inout Metadata) {
        metadata.addString(value, forKey: key)
    }

    func extract(key: String, from metadata: Metadata) -> String? {
        let values = Array(metadata[stringValues: key])
        return values.isEmpty ? nil : values.joined(separator: ",")
    }
}
#endif
