#if !ServiceLifecycle
public import PerRequest

// What this product has without its trait: the message that says so. That `BackgroundWork` is no `Service` then, the compiler
// says in its own words.

extension BackgroundWork {
    /// Not there without the trait.
    @available(
        *,
        unavailable,
        message: "PerRequestServiceLifecycle is empty without its trait: .package(…, traits: [\"ServiceLifecycle\"])"
    )
    public func run() async throws { fatalError("unavailable") }
}
#endif
