import GRDB
import Synchronization

/// A fixed number of connections to one SQLite database, leased one request at a time.
final class ConnectionPool: Sendable {
    private struct State {
        var idle: [DatabaseQueue]
        var lastLease = 0
    }

    private let path: String
    private let places: Turnstile
    private let state: Mutex<State>

    /// The turns of the writers.
    ///
    /// SQLite has one at a time, so that none of them ever finds the database busy.
    let writer = Turnstile(places: 1)

    /// Opens the database and makes what is not there.
    ///
    /// The other connections are opened when they are needed.
    init(path: String, connections: Int = 8) throws(UnusableDatabase) {
        do {
            let first = try Self.open(path)
            try first.write(Schema.create)
            state = Mutex(State(idle: [first]))
        } catch {
            throw UnusableDatabase(path: path, cause: error)
        }
        self.path = path
        places = Turnstile(places: connections)
    }

    private static func open(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.busyMode = .timeout(5)
        // A transaction lasts from the first write of a request to its response: many accesses to the connection.
        configuration.allowsUnsafeTransactions = true
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    /// Waits for a free connection.
    ///
    /// Requests are served in the order in which they came.
    func lease() async throws -> DatabaseClient {
        try await places.enter()
        do {
            let (id, idle) = state.withLock { state in
                state.lastLease += 1
                return (state.lastLease, state.idle.popLast())
            }
            return try DatabaseClient(id: id, queue: idle ?? Self.open(path), pool: self)
        } catch {
            places.leave()
            throw error
        }
    }

    /// Takes a connection back.
    ///
    /// One that cannot be brought out of its transaction is closed.
    func giveBack(_ client: DatabaseClient) async {
        do {
            try await client.rollBackIfNeeded()
            state.withLock { $0.idle.append(client.queue) }
        } catch {
            try? client.queue.close()
        }
        places.leave()
    }

    /// Closes the connections that are not in use.
    func close() {
        let idle = state.withLock { state in
            defer { state.idle = [] }
            return state.idle
        }
        for queue in idle { try? queue.close() }
    }
}
