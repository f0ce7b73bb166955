#if !FlyingFox
// What this product has without its trait: the message that says so.

/// Not there without the trait.
@available(
    *,
    unavailable,
    message: "PerRequestFlyingFox is empty without its trait: .package(…, traits: [\"FlyingFox\"])"
)
public struct RequestStoreHandler {
    /// Not there without the trait.
    public init(_ handler: Any) {}
}
#endif
