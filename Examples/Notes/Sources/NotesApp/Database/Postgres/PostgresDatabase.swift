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

    let search = TextSearch(
        index: """
            INSERT INTO note_text (note_id, tenant, words)
            SELECT id, tenant, to_tsvector('simple', title || ' ' || body) FROM note
            WHERE tenant = current_tenant() AND id = $1
            """,
        find: """
            SELECT note.id, note.title, note.body FROM note JOIN note_text ON note_text.note_id = note.id
            WHERE words @@ plainto_tsquery('simple', $1) AND note.tenant = current_tenant() ORDER BY note.id DESC
            """,
        pattern: { $0 }
    )

    func connect() async throws -> any DatabaseConnection {
        try await PostgresConnection(url: url)
    }
}
