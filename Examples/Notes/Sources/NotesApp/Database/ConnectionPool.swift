import Synchronization

/// At most so many connections, each leased to one request at a time.
final class ConnectionPool: DatabaseClients {
    private struct State {
        var idle: [any DatabaseConnection] = []
        var lastLease = 0
        var isClosed = false
    }

    private let database: any Database
    private let places: Turnstile
    private let state = Mutex(State())

    init(_ database: any Database, connections: Int = 8) {
        self.database = database
        places = Turnstile(places: connections)
    }

    /// Waits for a free connection; makes one where there is none yet.
    ///
    /// Requests are served in the order in which they came.
    func lease(for tenant: Tenant?) async throws -> DatabaseClient {
        try await places.enter()
        do {
            let connection = try await connection()
            let id = state.withLock { state in
                state.lastLease += 1
                return state.lastLease
            }
            return DatabaseClient(
                id: id,
                tenant: tenant,
                search: database.search,
                connection: connection,
                source: self,
                writers: database.writers
            )
        } catch {
            places.leave()
            throw error
        }
    }

    private func connection() async throws -> any DatabaseConnection {
        while let idle = state.withLock({ $0.idle.popLast() }) {
            // The server may have ended it since.
            if await idle.isAlive { return idle }
            await idle.close()
        }
        return try await database.connect()
    }

    /// Takes a connection back: a clean one for the next request, any other to be closed.
    func giveBack(_ client: DatabaseClient) async {
        let connection = await client.end()
        let isKept =
            await connection.isClean
            && state.withLock { state in
                if !state.isClosed { state.idle.append(connection) }
                return !state.isClosed
            }
        if !isKept { await connection.close() }
        places.leave()
    }

    func close() async {
        let idle = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle
        }
        for connection in idle { await connection.close() }
    }
}
