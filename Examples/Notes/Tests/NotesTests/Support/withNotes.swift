import Hummingbird
import Logging
import ServiceLifecycle

@testable import NotesApp

/// Runs the application on a real socket with a database of its own.
func withNotesService<Result>(
    adding routes: (Router<BasicRequestContext>) -> Void = { _ in },
    _ body: (NotesClient, NotesService) async throws -> Result
) async throws -> Result {
    try await withDatabase { database in
        try await withNotesService(on: database, adding: routes, body)
    }
}

/// Runs the application on a real socket with `database`.
func withNotesService<Result>(
    on database: NotesSettings.Database,
    adding routes: (Router<BasicRequestContext>) -> Void = { _ in },
    _ body: (NotesClient, NotesService) async throws -> Result
) async throws -> Result {
    let service = try await NotesService(NotesSettings(port: 0, database: database))
    let result: Result
    do {
        result = try await serve(service, adding: routes, body)
    } catch {
        await service.close()
        throw error
    }
    await service.close()
    return result
}

private func serve<Result>(
    _ service: NotesService,
    adding routes: (Router<BasicRequestContext>) -> Void,
    _ body: (NotesClient, NotesService) async throws -> Result
) async throws -> Result {
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let application = service.application(adding: routes) { port.yield($0) }
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
    adding routes: (Router<BasicRequestContext>) -> Void = { _ in },
    _ body: (NotesClient) async throws -> Result
) async throws -> Result {
    try await withNotesService(adding: routes) { client, _ in try await body(client) }
}

extension NotesClient {
    /// What `/health` says once no other request is open.
    ///
    /// It is asked again until then, for ten seconds at most.
    func quietHealth() async throws -> HealthReply {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let health = try await get("/health").json(as: HealthReply.self)
            let isQuiet = health.requests.open == 1 && health.resources.held == 0
            if isQuiet || ContinuousClock.now > deadline { return health }
        }
    }
}
