#if Hummingbird
public import Hummingbird
public import HummingbirdCore
public import Logging
public import NIOCore
public import ServiceLifecycle

extension Application {
    /// What a `RequestStoreRouter` is for is missing.
    @available(
        *,
        unavailable,
        message: "`requestStore:` is missing: write `requestStore: .http1()` in place of `server:`"
    )
    public init<Context>(
        router: RequestStoreRouter<Context>,
        server: HTTPServerBuilder = .http1(),
        configuration: ApplicationConfiguration = ApplicationConfiguration(),
        services: [any Service] = [],
        onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in },
        eventLoopGroupProvider: EventLoopGroupProvider = .singleton,
        logger: Logger? = nil
    ) where Responder == RequestStoreResponder<RouterResponder<Context>> { fatalError() }

    /// Makes an application of Hummingbird's own router, in which ``RequestStoreMiddleware`` comes first.
    @available(*, deprecated, message: "Make the router as a RequestStoreRouter, without RequestStoreMiddleware")
    public init<Context>(
        router: Router<Context>,
        requestStore: RequestStoreServer,
        configuration: ApplicationConfiguration = ApplicationConfiguration(),
        services: [any Service] = [],
        onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in },
        eventLoopGroupProvider: EventLoopGroupProvider = .singleton,
        logger: Logger? = nil
    ) where Responder == RequestStoreResponder<RouterResponder<Context>> {
        self.init(
            router: AnyBuilder(base: router),
            requestStore: requestStore,
            configuration: configuration,
            services: services,
            onServerRunning: onServerRunning,
            eventLoopGroupProvider: eventLoopGroupProvider,
            logger: logger
        )
    }
}

/// Hummingbird's router, where the compiler is not to prefer the initializer that is deprecated.
private struct AnyBuilder<Base: HTTPResponderBuilder>: HTTPResponderBuilder {
    let base: Base

    func buildResponder() -> Base.Responder { base.buildResponder() }
}
#endif
