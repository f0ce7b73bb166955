#if GRPC
public import GRPCCore
import PerRequest

/// Tells an RPC's store what its handler threw, before gRPC makes a status of it, and sets the store up.
///
/// Add it before every other interceptor, to a server whose transport is a ``RequestStoreTransport``:
///
/// ```swift
/// GRPCServer(
///     transport: .requestStore(.http2NIOPosix(…)),
///     services: [NotesService()],
///     interceptors: [
///         RequestStoreInterceptor { metadata, context in
///             try Current.tenant.set(metadata[stringValues: "tenant"].first { _ in true })
///         }
///     ]
/// )
/// ```
///
/// An interceptor that makes a success of an error hides it from this one: add that one before it, or let it call
/// `RequestStore.current?.fail(error)`.
///
/// Without the transport every RPC fails with a ``MissingRequestStoreTransport``.
public struct RequestStoreInterceptor: ServerInterceptor {
    /// Sets values of an RPC from its metadata, before the other interceptors and the handler run.
    ///
    /// The RPC's store is current. What it throws fails the RPC, as if the handler had thrown it.
    public typealias SetUp = @Sendable (Metadata, ServerContext) async throws -> Void

    private let setUp: SetUp

    /// Makes the interceptor.
    ///
    /// - Parameter setUp: Sets values of an RPC from its metadata.
    public init(setUp: @escaping SetUp = { _, _ in }) {
        self.setUp = setUp
    }

    /// Sets the store up, calls the next interceptor or the handler, and notes what they throw, and what the producer of
    /// the response throws.
    ///
    /// Errors leave unchanged.
    public func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>,
        context: ServerContext,
        next:
            @Sendable @concurrent (
                _ request: StreamingServerRequest<Input>,
                _ context: ServerContext
            ) async throws -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        guard let exchange = RPCExchange.current else { throw MissingRequestStoreTransport() }
        exchange.received(request.metadata)
        // Here, the server has found the method: what the client has sent names one of its own.
        let store = RequestEvent.isObserved ? RequestStore.current : nil
        store?.serving(RequestEvent.Served(context.descriptor), in: .handler)
        var response = try await noting(exchange) {
            try await setUp(request.metadata, context)
            return try await next(request, context)
        }
        switch response.accepted {
        case .success(var contents):
            let producer = contents.producer
            contents.producer = { writer in
                store?.enter(.body)
                return try await noting(exchange) { try await producer(writer) }
            }
            response.accepted = .success(contents)
        case .failure(let error):
            exchange.failed(error.original)
        }
        return response
    }
}

extension RequestEvent.Served {
    fileprivate init(_ method: MethodDescriptor) {
        self.init(transport: "grpc", method: method.method, route: method.service.fullyQualifiedService)
    }
}

/// Runs `body` and notes what it throws.
private func noting<Result>(_ exchange: RPCExchange, _ body: () async throws -> Result) async throws -> Result {
    do {
        return try await body()
    } catch {
        exchange.failed(error)
        throw error
    }
}

extension RPCError {
    /// The error that gRPC wrapped, or converted, on its way through an interceptor; or this one.
    fileprivate var original: any Error {
        guard let cause else { return self }
        if let known = cause as? any RPCErrorConvertible, known.rpcErrorCode == code, known.rpcErrorMessage == message {
            return cause
        }
        return code == .unknown && message.isEmpty ? cause : self
    }
}
#endif
