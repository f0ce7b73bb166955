import Hummingbird
import Logging
import NIOCore
import PerRequest
import PerRequestHummingbird
import PerRequestInspector
import PerRequestMetrics
import PerRequestTracing

/// The notes service: its database, its routes, its server.
public struct NotesService: Sendable {
    let database: any DatabaseClients
    private let file: DatabaseFile?
    private let port: Int
    private let rpcPort: Int?
    private let leasesByHand: Bool
    private let mirror: Mirror?
    private let baggage: RequestBaggage
    private let page: NotesPage
    private let counters = HealthCounters()
    private let registry = MetricsRegistry()
    private let inspector = RequestInspector()
    /// What is told of every request.
    ///
    /// The counters are last: what `/health` counts, the others know.
    private let observers: [any RequestObserver]
    /// Two at a time, so that most connections are left to requests.
    let work = BackgroundWork(limits: .init(concurrent: 2))

    /// Opens the database.
    public init(_ settings: NotesSettings) async throws {
        port = settings.port
        rpcPort = settings.rpcPort
        leasesByHand = settings.leasesByHand
        mirror = settings.mirror.map(Mirror.init)
        baggage = try Travels.baggage()
        observers = (settings.isUnobserved ? [] : [inspector, RequestMetrics(factory: registry)]) + [counters]
        page = NotesPage(templates: try PageTemplates())
        let database: any Database
        switch settings.database {
        case .sqlite(let path):
            let file = try DatabaseFile(path)
            database = try SQLiteDatabase(path: file.path)
            self.file = file
        case .postgres(let url):
            database = try await PostgresDatabase(url: url)
            file = nil
        }
        self.database =
            settings.sharesOneClient ? try await GlobalClient(database) : ConnectionPool(database)
    }

    /// Serves until the process is told to stop, then closes the database.
    ///
    /// - Parameters:
    ///   - onListening: Gets the port once the server accepts connections.
    ///   - onListeningRPC: The same for gRPC.
    public func run(
        onListening: @escaping @Sendable (Int) -> Void,
        onListeningRPC: @escaping @Sendable (Int) -> Void
    ) async throws {
        do {
            if leasesByHand {
                try await applicationByHand(onListening: onListening).runService()
            } else {
                try await application(onListening: onListening, onListeningRPC: onListeningRPC).runService()
            }
        } catch {
            await close()
            throw error
        }
        await close()
    }

    /// Closes the database and removes it if it is a temporary one.
    func close() async {
        await database.close()
        file?.removeIfTemporary()
    }

    /// - Parameters:
    ///   - routes: Adds routes to those of the service.
    ///   - onListening: Gets the port once the server accepts connections.
    ///   - onListeningRPC: The same for gRPC.
    func application(
        adding routes: (RequestStoreRouter<BasicRequestContext>) -> Void = { _ in },
        onListening: @escaping @Sendable (Int) -> Void,
        onListeningRPC: @escaping @Sendable (Int) -> Void = { _ in }
    ) -> some ApplicationProtocol {
        let router = router
        routes(router)
        let logger = Logger(label: "notes")
        let rpcServer = rpcPort.map { port in
            NotesRPCServer(
                port: port,
                database: database,
                baggage: baggage,
                observers: observers,
                work: work,
                logger: logger,
                onListening: onListeningRPC
            )
        }
        return Application(
            router: router,
            requestStore: .http1(observers: observers, background: work, failureResponse: Self.failureResponse),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            // In this order: both servers leave work, and end before it.
            services: rpcServer.map { [work, $0] } ?? [work],
            onServerRunning: { channel in
                if let port = channel.localAddress?.port { onListening(port) }
            },
            logger: logger
        )
    }

    /// The application of `--lease-by-hand`: see ``LeaseByHand``.
    private func applicationByHand(onListening: @escaping @Sendable (Int) -> Void) -> some ApplicationProtocol {
        let router = Router()
        LeaseByHand(database: database).add(to: router)
        return Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { channel in
                if let port = channel.localAddress?.port { onListening(port) }
            },
            logger: Logger(label: "notes")
        )
    }

    private var router: RequestStoreRouter<BasicRequestContext> {
        let router = RequestStoreRouter(options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestMiddleware(database: database, mirror: mirror, baggage: baggage))
        PageRoutes(page: page).add(to: router)
        NotesAPI().add(to: router)
        EventRoutes().add(to: router)
        WhoAmI.add(to: router)
        counters.add(to: router, work)
        registry.add(to: router)
        inspector.mount(on: router, at: "/_requests")
        return router
    }

    /// The response to a request that was served and then could not be committed.
    private static let failureResponse: RequestStoreServer.FailureResponse = { error, _, status in
        var response = ErrorReply(failedCommit: error, status).response
        response.headers.addRequestIDs()
        return response
    }
}
