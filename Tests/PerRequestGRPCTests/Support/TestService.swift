#if GRPC
import GRPCCore

/// A handler of any shape: unary and streaming are one on the wire.
typealias Handler =
    @Sendable @concurrent (StreamingServerRequest<String>, ServerContext) async throws -> StreamingServerResponse<
        String
    >

/// A service of text messages whose methods are closures: no generated code.
struct TestService: RegistrableRPCService {
    static let name = "test.Service"

    let methods: [String: Handler]

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        for (method, handler) in methods {
            router.registerHandler(
                forMethod: MethodDescriptor(fullyQualifiedService: Self.name, method: method),
                deserializer: Text(),
                serializer: Text(),
                handler: handler
            )
        }
    }
}

/// Text as its UTF-8.
struct Text: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: String) throws -> Bytes { Bytes(message.utf8) }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> String {
        bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
}

/// The first message of a request.
func onlyMessage(of request: StreamingServerRequest<String>) async throws -> String {
    try await ServerRequest(stream: request).message
}

/// A response of one message.
func unary(_ message: String, trailing: Metadata = [:]) -> StreamingServerResponse<String> {
    StreamingServerResponse(
        single: ServerResponse(message: message, metadata: [:], trailingMetadata: trailing)
    )
}
#endif
