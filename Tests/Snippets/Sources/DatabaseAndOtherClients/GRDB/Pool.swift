import GRDB
import PerRequest
import Synchronization

// snippet DatabaseAndOtherClients.md: GRDB (2)

// The keys of the guide's overview.
enum Current {
    static let pool = RequestLocal<Pool?>("pool")

    static let connection = RequestResource("connection") {
        try await pool.require().lease()
    } release: { connection, _ in
        try await pool.require().giveBack(connection)
    }

    static let transaction = RequestResource.around("transaction", on: connection, released: .beforeResponse) {
        connection,
        use in
        try await connection.withTransaction { transaction in try await use(transaction) }
    }
}
