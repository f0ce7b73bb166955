#if !Metrics
// What this product has without its trait: the message that says so.

/// Not there without the trait.
@available(*, unavailable, message: "PerRequestMetrics is empty without its trait: .package(…, traits: [\"Metrics\"])")
public struct RequestMetrics {
    /// Not there without the trait.
    public init() {}
}
#endif
