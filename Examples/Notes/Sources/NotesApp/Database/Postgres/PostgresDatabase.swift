import CLibPQ

/// A PostgreSQL database.
struct PostgresDatabase: Database {
    struct InvalidURL: Error, CustomStringConvertible {
        // The text may hold a password.
        let description = "it is no URL of the form postgresql://user@host:port/database"
    }

    private let url: String

    /// PostgreSQL has as many as it likes.
    let writers: Turnstile? = nil

    /// Connects, and makes the tables if they are not there yet.
    init(url: String) async throws(UnusableDatabase) {
        self.url = url
        do {
            let isURL = url.hasPrefix("postgresql://") || url.hasPrefix("postgres://")
            guard isURL, let options = PQconninfoParse(url, nil) else { throw InvalidURL() }
            PQconninfoFree(options)
            let connection = try await PostgresConnection(url: url)
            try await PostgresSchema.create(on: connection)
            await connection.close()
        } catch {
            throw UnusableDatabase(name: "that DATABASE_URL names", cause: error)
        }
    }

    func connect() async throws -> any DatabaseConnection {
        try await PostgresConnection(url: url)
    }
}
