import Hummingbird
import Logging
import NIOCore
import PerRequest
import PerRequestHummingbird

/// The notes service: its database, its routes, its server.
public struct NotesService: Sendable {
    let pool: ConnectionPool
    private let file: DatabaseFile
    private let port: Int
    private let page: NotesPage
    private let counters = HealthCounters()

    /// Opens the database.
    public init(_ settings: NotesSettings) throws {
        port = settings.port
        page = NotesPage(templates: try PageTemplates())
        file = try DatabaseFile(settings.database)
        pool = try ConnectionPool(path: file.path)
    }

    /// Serves until the process is told to stop, then closes the database.
    ///
    /// - Parameter onListening: Gets the port once the server accepts connections.
    public func run(onListening: @escaping @Sendable (Int) -> Void) async throws {
        defer { close() }
        try await application(onListening: onListening).runService()
    }

    /// Closes the database and removes it if it is a temporary one.
    func close() {
        pool.close()
        file.removeIfTemporary()
    }

    func application(onListening: @escaping @Sendable (Int) -> Void) -> some ApplicationProtocol {
        Application(
            router: router,
            requestStore: .http1(observer: counters, failureResponse: Self.failureResponse),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { channel in
                if let port = channel.localAddress?.port { onListening(port) }
            },
            logger: Logger(label: "notes")
        )
    }

    private var router: Router<BasicRequestContext> {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestStoreMiddleware())
        router.add(middleware: RequestMiddleware(pool: pool))
        PageRoutes(page: page).add(to: router)
        NotesAPI().add(to: router)
        EventRoutes().add(to: router)
        WhoAmI.add(to: router)
        counters.add(to: router)
        return router
    }

    /// The response to a request that was served and then could not be committed.
    private static let failureResponse: RequestStoreServer.FailureResponse = { _, _, status in
        let isUnknown = status == .serviceUnavailable
        let message = isUnknown ? "It is not known whether the change was saved." : "The change could not be saved."
        var response = ErrorReply(status, message).response
        response.headers.addRequestIDs()
        return response
    }
}
