#if !Tracing
// What this product has without its trait: the message that says so.

/// Not there without the trait.
@available(*, unavailable, message: "PerRequestTracing is empty without its trait: .package(…, traits: [\"Tracing\"])")
public struct RequestTracing {
    /// Not there without the trait.
    public init() {}
}

/// Not there without the trait.
@available(*, unavailable, message: "PerRequestTracing is empty without its trait: .package(…, traits: [\"Tracing\"])")
public struct RequestBaggage {
    /// Not there without the trait.
    public init() {}
}
#endif
