import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Hummingbird
import Logging
import PerRequestHummingbird
import ServiceLifecycle

@testable import NotesApp

/// Runs the application on a real socket with a database of its own.
func withNotesService<Result>(
    adding routes: (RequestStoreRouter<BasicRequestContext>) -> Void = { _ in },
    _ body: (NotesClient, NotesService) async throws -> Result
) async throws -> Result {
    try await withDatabase { database in
        try await withNotesService(on: database, adding: routes, body)
    }
}

/// Runs the application on real sockets, with a client for each protocol.
func withNotesOverBoth<Result: Sendable>(
    _ body: (NotesClient, Notes_V1_Notes.Client<HTTP2ClientTransport.Posix>) async throws -> Result
) async throws -> Result {
    let (ports, rpcPort) = AsyncStream.makeStream(of: Int.self)
    return try await withDatabase { database in
        let settings = NotesSettings(port: 0, rpcPort: 0, database: database)
        return try await withNotesService(settings, onListeningRPC: { rpcPort.yield($0) }) { client, _ in
            var listening = ports.makeAsyncIterator()
            let port = await listening.next() ?? 0
            return try await withGRPCClient(
                transport: .http2NIOPosix(
                    target: .ipv4(address: "127.0.0.1", port: port),
                    transportSecurity: .plaintext
                )
            ) { rpc in try await body(client, Notes_V1_Notes.Client(wrapping: rpc)) }
        }
    }
}

/// Runs the application on a real socket with `database`.
func withNotesService<Result>(
    on database: NotesSettings.Database,
    adding routes: (RequestStoreRouter<BasicRequestContext>) -> Void = { _ in },
    _ body: (NotesClient, NotesService) async throws -> Result
) async throws -> Result {
    try await withNotesService(NotesSettings(port: 0, database: database), adding: routes, body)
}

private func withNotesService<Result>(
    _ settings: NotesSettings,
    adding routes: (RequestStoreRouter<BasicRequestContext>) -> Void = { _ in },
    onListeningRPC: @escaping @Sendable (Int) -> Void = { _ in },
    _ body: (NotesClient, NotesService) async throws -> Result
) async throws -> Result {
    let service = try await NotesService(settings)
    let result: Result
    do {
        result = try await serve(service, adding: routes, onListeningRPC, body)
    } catch {
        await service.close()
        throw error
    }
    await service.close()
    return result
}

private func serve<Result>(
    _ service: NotesService,
    adding routes: (RequestStoreRouter<BasicRequestContext>) -> Void,
    _ onListeningRPC: @escaping @Sendable (Int) -> Void,
    _ body: (NotesClient, NotesService) async throws -> Result
) async throws -> Result {
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let application = service.application(
        adding: routes,
        onListening: { port.yield($0) },
        onListeningRPC: onListeningRPC
    )
    let services = ServiceGroup(services: [application], logger: Logger(label: "tests"))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            defer { port.finish() }
            try await services.run()
        }
        var listening = ports.makeAsyncIterator()
        guard let port = await listening.next() else {
            try await tasks.waitForAll()
            throw CancellationError()
        }
        let result: Result
        do {
            result = try await body(NotesClient(port: port), service)
        } catch {
            await services.triggerGracefulShutdown()
            throw error
        }
        await services.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return result
    }
}

func withNotes<Result>(
    adding routes: (RequestStoreRouter<BasicRequestContext>) -> Void = { _ in },
    _ body: (NotesClient) async throws -> Result
) async throws -> Result {
    try await withNotesService(adding: routes) { client, _ in try await body(client) }
}

extension NotesClient {
    /// What `/health` says once no other request is open and all work after their responses is done.
    ///
    /// It is asked again until then, for ten seconds at most.
    func quietHealth() async throws -> HealthReply {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let health = try await get("/health").json(as: HealthReply.self)
            let jobs = health.jobs.reserved + health.jobs.waiting + health.jobs.running
            let isQuiet = health.requests.open == 1 && health.resources.held == 0 && jobs == 0
            if isQuiet || ContinuousClock.now > deadline { return health }
        }
    }
}
