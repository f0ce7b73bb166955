import GRPCCore
import GRPCNIOTransportCore
import GRPCNIOTransportHTTP2Posix
import PerRequestGRPC

extension Main {
    static func serveGRPC() async throws {
        let server = GRPCServer(
            transport: transport,
            services: [BenchService { try await ByHand.thing.use { thing in Array(thing.text.utf8) } }]
        )
        try await serve(server) { try await $0.listeningAddress.ipv4?.port }
    }

    static func serveGRPCWithStores() async throws {
        let server = GRPCServer(
            transport: .requestStore(transport),
            services: [BenchService { Array(try await Current.thing.get().text.utf8) }],
            interceptors: [RequestStoreInterceptor()]
        )
        try await serve(server) { try await $0.base.listeningAddress.ipv4?.port }
    }

    private static var transport: HTTP2ServerTransport.Posix {
        .http2NIOPosix(address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext)
    }

    private static func serve<Transport>(
        _ server: GRPCServer<Transport>,
        port: @Sendable (Transport) async throws -> Int?
    ) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await server.serve() }
            printPort(try await port(server.transport))
        }
    }
}

/// Two unary RPCs without generated code: one returns its message and uses nothing, the other returns what a thing says.
private struct BenchService: RegistrableRPCService {
    let thing: @Sendable () async throws -> [UInt8]

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        router.registerUnary("Echo") { message in message }
        router.registerUnary("Thing") { _ in try await thing() }
    }
}

extension RPCRouter {
    fileprivate mutating func registerUnary(
        _ method: String,
        _ handler: @escaping @Sendable ([UInt8]) async throws -> [UInt8]
    ) {
        registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: "bench.Bench", method: method),
            deserializer: Bytes(),
            serializer: Bytes()
        ) { request, _ in
            let request = try await ServerRequest(stream: request)
            return StreamingServerResponse(single: ServerResponse(message: try await handler(request.message)))
        }
    }
}

/// A message as it is.
private struct Bytes: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
        bytes.withUnsafeBytes { Array($0) }
    }
}
