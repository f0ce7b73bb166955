import CLibPQ
import Foundation

/// A connection to PostgreSQL, through libpq's functions that do not block.
///
/// One statement at a time; whoever shares it takes turns.
actor PostgresConnection: DatabaseConnection {
    private nonisolated(unsafe) let connection: OpaquePointer
    /// A statement on it was told to break off: the word may arrive late and hit another one.
    private var wasBrokenOff = false
    private var isClosed = false

    /// Connects.
    ///
    /// libpq looks up a host's name without us; an address or a socket's folder waits for nobody.
    init(url: String) async throws {
        guard let connection = PQconnectStart(url) else { throw PostgresError.cannotConnect("out of memory") }
        self.connection = connection
        // Warnings are not for standard error.
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
        guard PQstatus(connection) != CONNECTION_BAD else { throw PostgresError.cannotConnect(message) }
        var next = PGRES_POLLING_WRITING
        while next != PGRES_POLLING_OK {
            switch next {
            case PGRES_POLLING_READING: try await Readiness.readable.wait(for: PQsocket(connection))
            case PGRES_POLLING_WRITING: try await Readiness.writable.wait(for: PQsocket(connection))
            default: throw PostgresError.cannotConnect(message)
            }
            next = PQconnectPoll(connection)
        }
        guard PQsetnonblocking(connection, 1) == 0 else { throw PostgresError.cannotConnect(message) }
    }

    deinit {
        if !isClosed { PQfinish(connection) }
    }

    func close() {
        if !isClosed { PQfinish(connection) }
        isClosed = true
    }

    private var message: String {
        let lines = String(cString: PQerrorMessage(connection)).split(separator: "\n")
        return lines.map { $0.trimmingPrefix(while: \.isWhitespace) }.joined(separator: " ")
    }
}

// MARK: - Transactions

extension PostgresConnection {
    func begin(for tenant: Tenant?) async throws {
        try await begin("BEGIN", tenant)
    }

    /// Begins a transaction, as the role that owns nothing and for `tenant`; both end with it.
    private func begin(_ statement: String, _ tenant: Tenant?) async throws {
        try await control(statement)
        do {
            try await control(
                "SELECT set_config('role', $1, true), set_config('app.tenant', $2, true)",
                [.text(PostgresSchema.role), .text(tenant?.name ?? "")]
            )
        } catch {
            try? await rollback()
            throw error
        }
    }

    func commit() async throws {
        do {
            // The answer to the COMMIT of a transaction that has failed is no error.
            guard try await control("COMMIT").tag == "COMMIT" else { throw PostgresError.rolledBack }
        } catch PostgresError.connectionLost(let message) {
            throw PostgresError.commitUnknown(message)
        }
    }

    func rollback() async throws {
        if isInTransaction { try await control("ROLLBACK") }
    }

    func run(_ step: Savepoint) async throws {
        try await execute(script: step.rawValue)
    }

    func query(_ sql: String, _ values: [SQLValue], for tenant: Tenant?) async throws -> [SQLRow] {
        if isInTransaction { return try await execute(sql, values).rows }
        try await begin("BEGIN READ ONLY", tenant)
        do {
            let rows = try await execute(sql, values).rows
            try await commit()
            return rows
        } catch {
            try? await rollback()
            throw error
        }
    }

    private var isInTransaction: Bool {
        let status = PQtransactionStatus(connection)
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR
    }

    var isAlive: Bool {
        // Nobody speaks to an idle connection but to end it.
        var socket = pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0)
        return isClean && poll(&socket, 1, 0) == 0
    }

    var isClean: Bool {
        !isClosed && !wasBrokenOff && PQtransactionStatus(connection) == PQTRANS_IDLE
    }
}

// MARK: - Statements

extension PostgresConnection {
    /// Runs a statement.
    ///
    /// Cancelling the task asks the server to break it off; the function returns when the server has answered.
    @discardableResult
    func execute(_ sql: String, _ values: [SQLValue] = []) async throws -> PostgresResult {
        try Task.checkCancellation()
        try send(sql, values)
        return try await answer(isCancellable: true)
    }

    /// Runs statements that take no values.
    func execute(script: String) async throws {
        guard PQsendQuery(connection, script) == 1 else { throw PostgresError.connectionLost(message) }
        _ = try await answer(isCancellable: false)
    }

    /// Runs a statement to its end, whether the task is cancelled or not.
    @discardableResult
    private func control(_ sql: String, _ values: [SQLValue] = []) async throws -> PostgresResult {
        try send(sql, values)
        return try await answer(isCancellable: false)
    }

    private func send(_ sql: String, _ values: [SQLValue]) throws(PostgresError) {
        guard !isClosed else { throw .connectionLost("it is closed") }
        let texts = values.map { value in value.text.map { strdup($0) } ?? nil }
        defer { for text in texts { free(text) } }
        let count = Int32(values.count)
        let isSent = PQsendQueryParams(connection, sql, count, nil, texts.map { UnsafePointer($0) }, nil, nil, 0)
        guard isSent == 1 else { throw .connectionLost(message) }
    }

    /// Waits for the last result of what was sent.
    private func answer(isCancellable: Bool) async throws -> PostgresResult {
        let socket = PQsocket(connection)
        while try hasMoreToSend() { await Readiness.writable.waitUncancelled(for: socket) }
        var isCancelled = false
        var last: Result<PostgresResult, PostgresError>?
        while true {
            while PQisBusy(connection) == 1 {
                if isCancellable, Task.isCancelled {
                    isCancelled = true
                    wasBrokenOff = true
                    // A word that comes before the statement has begun goes unheard.
                    await breakOff()
                    await Readiness.readable.waitUncancelled(for: socket, atMost: .milliseconds(100))
                } else if isCancellable {
                    try? await Readiness.readable.wait(for: socket)
                } else {
                    await Readiness.readable.waitUncancelled(for: socket)
                }
                guard PQconsumeInput(connection) == 1 else { throw PostgresError.connectionLost(message) }
            }
            guard let result = PQgetResult(connection) else { break }
            defer { PQclear(result) }
            // After an error, what follows it is not run.
            if case .failure = last { continue }
            last = outcome(of: result)
        }
        switch last {
        case .success(let result): return result
        case .failure(.statementFailed(PostgresError.queryCancelled, _)) where isCancelled: throw CancellationError()
        case .failure(let error): throw error
        case nil: throw PostgresError.connectionLost(message)
        }
    }

    private func hasMoreToSend() throws(PostgresError) -> Bool {
        let result = PQflush(connection)
        guard result >= 0 else { throw .connectionLost(message) }
        return result == 1
    }

    private func outcome(of result: OpaquePointer) -> Result<PostgresResult, PostgresError> {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK: return .success(PostgresResult(result))
        default:
            guard PQstatus(connection) == CONNECTION_OK else { return .failure(.connectionLost(message)) }
            let state = PQresultErrorField(result, diagnosticState).map { String(cString: $0) } ?? ""
            let text = PQresultErrorField(result, diagnosticText).map { String(cString: $0) } ?? message
            return .failure(.statementFailed(state, text))
        }
    }

    /// Asks the server, on a connection of its own, to break off what runs.
    ///
    /// libpq 15 can only do that in a blocking way: it has a thread of its own to block.
    private func breakOff() async {
        guard let cancel = PQgetCancel(connection) else { return }
        nonisolated(unsafe) let request = cancel
        await withCheckedContinuation { continuation in
            Self.cancelling.async {
                var error = [CChar](repeating: 0, count: 256)
                // Where it fails, the statement ends by itself.
                _ = PQcancel(request, &error, Int32(error.count))
                PQfreeCancel(request)
                continuation.resume()
            }
        }
    }

    private static let cancelling = DispatchQueue(label: "notes.postgres.cancelling")
}

// `PG_DIAG_SQLSTATE` and `PG_DIAG_MESSAGE_PRIMARY` are characters, which C's importer leaves out.
private let diagnosticState = Int32(UInt8(ascii: "C"))
private let diagnosticText = Int32(UInt8(ascii: "M"))

extension SQLValue {
    fileprivate var text: String? {
        switch self {
        case .null: nil
        case .integer(let value): String(value)
        case .text(let value): value
        }
    }
}
