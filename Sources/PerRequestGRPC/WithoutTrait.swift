#if !GRPC
// What this product has without its trait: the message that says so.

/// Not there without the trait.
@available(*, unavailable, message: "PerRequestGRPC is empty without its trait: .package(…, traits: [\"GRPC\"])")
public struct RequestStoreTransport {}

/// Not there without the trait.
@available(*, unavailable, message: "PerRequestGRPC is empty without its trait: .package(…, traits: [\"GRPC\"])")
public struct RequestStoreInterceptor {
    /// Not there without the trait.
    public init() {}
}

/// Not there without the trait.
@available(*, unavailable, message: "PerRequestGRPC is empty without its trait: .package(…, traits: [\"GRPC\"])")
public enum CurrentRPC {}
#endif
