#if !Inspector
// What this product has without its trait: the message that says so.

/// Not there without the trait.
@available(
    *,
    unavailable,
    message: "PerRequestInspector is empty without its trait: .package(…, traits: [\"Inspector\"])"
)
public struct RequestInspector {
    /// Not there without the trait.
    public init() {}
}
#endif
