#if Hummingbird
public import Hummingbird
public import Logging
public import NIOCore
public import ServiceLifecycle
import PerRequest
import PerRequestServiceLifecycle

extension Application {
    /// Makes an application in which every request has a store.
    ///
    /// ```swift
    /// let router = RequestStoreRouter()
    /// // … middleware and routes …
    /// let app = Application(router: router, requestStore: .http1())
    /// ```
    ///
    /// Where the server has a `BackgroundWork`, the application runs it as the last of its services. On a graceful shutdown
    /// Hummingbird ends the server first and then the services in reverse order: the work ends what it has, and then the
    /// services end that it may need. A service that leaves work itself, such as a second server, has to end before it: name
    /// the work among the services, `services: [pool, work, secondServer]`, and it keeps that place. What `addServices` adds
    /// comes behind the work and ends before it.
    ///
    /// With `app.test(.router)` there is no channel: the store then opens around the router and closes after the
    /// response's body.
    ///
    /// - Parameters:
    ///   - router: The router.
    ///   - requestStore: The server, in place of Hummingbird's `server`.
    ///   - configuration: Hummingbird's configuration.
    ///   - services: Services that the application runs beside its server, those first that others need.
    ///   - onServerRunning: Called once the server is running.
    ///   - eventLoopGroupProvider: Where the event loops come from.
    ///   - logger: The application's logger.
    public init<Context>(
        router: RequestStoreRouter<Context>,
        requestStore: RequestStoreServer,
        configuration: ApplicationConfiguration = ApplicationConfiguration(),
        services: [any Service] = [],
        onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in },
        eventLoopGroupProvider: EventLoopGroupProvider = .singleton,
        logger: Logger? = nil
    ) where Responder == RequestStoreResponder<RouterResponder<Context>> {
        self.init(
            RequestStoreResponder(router.base.buildResponder(), server: requestStore, seesEndpoints: true),
            requestStore,
            configuration,
            services,
            onServerRunning,
            eventLoopGroupProvider,
            logger
        )
        let (logger, hidden) = (self.logger, router.hidden.routes)
        beforeServerStarts { for route in hidden { logger.warning("\(route.warning)") } }
    }

    /// Makes an application in which every request has a store, with a router in which ``RequestStoreMiddleware`` comes
    /// first: one made by `RouterBuilder`.
    ///
    /// ```swift
    /// let router = RouterBuilder(context: AppContext.self) {
    ///     RequestStoreMiddleware()
    ///     // … middleware and routes …
    /// }
    /// let app = Application(router: router, requestStore: .http1())
    /// ```
    ///
    /// A request that does not pass the middleware fails with a ``RequestStoreSetupError``, which is logged. A middleware that
    /// turns a handler's error into a response hides it: only ``RequestStoreRouter`` sees what a route throws.
    ///
    /// Everything else is as with a ``RequestStoreRouter``.
    ///
    /// - Parameters:
    ///   - router: The router.
    ///   - requestStore: The server, in place of Hummingbird's `server`.
    ///   - configuration: Hummingbird's configuration.
    ///   - services: Services that the application runs beside its server, those first that others need.
    ///   - onServerRunning: Called once the server is running.
    ///   - eventLoopGroupProvider: Where the event loops come from.
    ///   - logger: The application's logger.
    public init<Builder: HTTPResponderBuilder>(
        router: Builder,
        requestStore: RequestStoreServer,
        configuration: ApplicationConfiguration = ApplicationConfiguration(),
        services: [any Service] = [],
        onServerRunning: @escaping @Sendable (any Channel) async -> Void = { _ in },
        eventLoopGroupProvider: EventLoopGroupProvider = .singleton,
        logger: Logger? = nil
    ) where Responder == RequestStoreResponder<Builder.Responder> {
        self.init(
            RequestStoreResponder(router.buildResponder(), server: requestStore, seesEndpoints: false),
            requestStore,
            configuration,
            services,
            onServerRunning,
            eventLoopGroupProvider,
            logger
        )
    }

    private init<Base>(
        _ responder: RequestStoreResponder<Base>,
        _ requestStore: RequestStoreServer,
        _ configuration: ApplicationConfiguration,
        _ services: [any Service],
        _ onServerRunning: @escaping @Sendable (any Channel) async -> Void,
        _ eventLoopGroupProvider: EventLoopGroupProvider,
        _ logger: Logger?
    ) where Responder == RequestStoreResponder<Base> {
        let startUp = responder.startUp
        self.init(
            responder: responder,
            server: requestStore.builder(startUp),
            configuration: configuration,
            services: Self.services(services, with: requestStore.background).map { startUp.watched($0) },
            onServerRunning: { channel in
                startUp.listens()
                await onServerRunning(channel)
            },
            eventLoopGroupProvider: eventLoopGroupProvider,
            logger: logger
        )
        startUp.began(self.logger)
        beforeServerStarts { await requestStore.background?.untilRunning() }
    }

    /// The services with the owner of the work after the response, unless it is one of them.
    ///
    /// A group shuts down in reverse order, the server first: the work outlives those who leave it, and nothing that it needs.
    private static func services(_ services: [any Service], with work: BackgroundWork?) -> [any Service] {
        guard let work, !services.contains(where: { $0 as? BackgroundWork === work }) else { return services }
        return services + [work]
    }
}
#endif
