import GRDB

enum SQLiteSchema {
    /// Makes the tables that are not there yet.
    static func create(_ db: GRDB.Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS note (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    tenant TEXT NOT NULL,
                    title TEXT NOT NULL,
                    body TEXT NOT NULL
                );
                CREATE INDEX IF NOT EXISTS note_of_tenant ON note (tenant, id);

                -- A row that names no note is accepted at first and makes the COMMIT fail: see `ForcedFailure`.
                CREATE TABLE IF NOT EXISTS commit_check (
                    note_id INTEGER NOT NULL REFERENCES note (id) DEFERRABLE INITIALLY DEFERRED
                );
                """
        )
    }
}
