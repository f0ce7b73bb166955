import PerRequest
import PostgresNIO

func page(_ write: (String) async throws -> Void) async throws {
    // snippet DatabaseAndOtherClients.md: PostgresNIO (3)
}

extension Current {
    static let reading = RequestResource.around("reading", on: connection) { connection, use in
        try await connection.withTransaction(logger: logger) { transaction in try await use(transaction) }
    }
}
