#if GRPC
public import PerRequestAdapters

extension RequestStoreTransport {
    /// What PerRequest promises and cannot hold with gRPC Swift.
    public static var unmetGuarantees: [UnmetGuarantee] {
        [
            UnmetGuarantee(
                rule: 15,
                in: .middleware,
                .partly,
                """
                An interceptor that makes a success of a handler's error hides it, unless it comes before \
                RequestStoreInterceptor in the array, or calls `RequestStore.current?.fail(error)`.
                """
            ),
            UnmetGuarantee(
                rule: 15,
                in: .clientLeaving,
                .wholly,
                """
                Where metadata or a message cannot be written because the client has gone, gRPC ends the RPC with a status \
                that is not OK, and it is rolled back, although its handler may have returned.
                """
            ),
            UnmetGuarantee(
                rule: 18,
                in: .errorMapping,
                .partly,
                """
                Without RequestStoreInterceptor the outcome has an RPCError made of the status in place of the error \
                that the handler threw.
                """
            ),
            UnmetGuarantee(
                rule: 19,
                in: .clientLeaving,
                .partly,
                """
                A transport whose writes succeed when the client is gone, such as the in-process one, makes it \
                impossible to tell: the RPC counts as completed. A client that leaves after the server began to shut \
                down, or without RequestStoreInterceptor, may count as cancelled.
                """
            ),
            UnmetGuarantee(
                rule: 19,
                in: .clientLeaving,
                .partly,
                """
                A client that ends its messages before it cancels, as gRPC Swift's does, looks as if it had sent them all: \
                where the RPC ends before the cancellation comes, it counts as completed.
                """
            ),
        ]
    }
}
#endif
