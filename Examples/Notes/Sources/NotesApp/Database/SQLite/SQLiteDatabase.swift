import GRDB

/// An SQLite database in a file.
struct SQLiteDatabase: Database {
    private let path: String

    /// So that none of them ever finds the database busy.
    let writers: Turnstile? = Turnstile(places: 1)

    /// Opens the database and makes the tables that are not there yet.
    init(path: String) throws(UnusableDatabase) {
        self.path = path
        do {
            try SQLiteConnection(path: path).queue.write(SQLiteSchema.create)
        } catch {
            throw UnusableDatabase(name: path, cause: error)
        }
    }

    let search = TextSearch(
        index: """
            INSERT INTO note_text (rowid, title, body)
            SELECT id, title, body FROM note WHERE tenant = current_tenant() AND id = $1
            """,
        find: """
            SELECT note.id, note.title, note.body FROM note_text JOIN note ON note.id = note_text.rowid
            WHERE note_text MATCH $1 AND note.tenant = current_tenant() ORDER BY note.id DESC
            """,
        // Words and nothing else: what they are made of has no meaning to FTS5 inside quotation marks.
        pattern: { text in
            text.split(whereSeparator: \.isWhitespace)
                .map { word in "\"\(word.replacing("\"", with: "\"\""))\"" }
                .joined(separator: " ")
        }
    )

    func connect() async throws -> any DatabaseConnection {
        try SQLiteConnection(path: path)
    }
}
