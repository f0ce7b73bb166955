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

    func connect() async throws -> any DatabaseConnection {
        try SQLiteConnection(path: path)
    }
}
