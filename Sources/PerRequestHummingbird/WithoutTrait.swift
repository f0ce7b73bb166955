#if !Hummingbird
// What this product has without its trait: the message that says so.

/// Not there without the trait.
@available(
    *,
    unavailable,
    message: "PerRequestHummingbird is empty without its trait: .package(…, traits: [\"Hummingbird\"])"
)
public struct RequestStoreMiddleware<Context> {
    /// Not there without the trait.
    public init() {}

    /// Not there without the trait.
    public init() where Context == Never {}
}

/// Not there without the trait.
@available(
    *,
    unavailable,
    message: "PerRequestHummingbird is empty without its trait: .package(…, traits: [\"Hummingbird\"])"
)
public struct RequestStoreRouter<Context> {
    /// Not there without the trait.
    public init(context: Context.Type) {}

    /// Not there without the trait.
    public init() where Context == Never {}
}

/// Not there without the trait.
@available(
    *,
    unavailable,
    message: "PerRequestHummingbird is empty without its trait: .package(…, traits: [\"Hummingbird\"])"
)
public struct RequestStoreServer {
    /// Not there without the trait.
    public static func http1(background: Any? = nil) -> Self { Self() }
}

/// Not there without the trait.
@available(
    *,
    unavailable,
    message: "PerRequestHummingbird is empty without its trait: .package(…, traits: [\"Hummingbird\"])"
)
public struct RequestStoreRouterGroup<Context> {}

/// Not there without the trait.
@available(
    *,
    unavailable,
    message: "PerRequestHummingbird is empty without its trait: .package(…, traits: [\"Hummingbird\"])"
)
public struct RequestStoreRouteCollection<Context> {
    /// Not there without the trait.
    public init(context: Context.Type) {}

    /// Not there without the trait.
    public init() where Context == Never {}
}
#endif
