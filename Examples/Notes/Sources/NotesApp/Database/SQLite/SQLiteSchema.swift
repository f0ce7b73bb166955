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

                CREATE VIRTUAL TABLE IF NOT EXISTS note_text USING fts5 (title, body);
                CREATE TRIGGER IF NOT EXISTS note_text_of_deleted_note AFTER DELETE ON note BEGIN
                    DELETE FROM note_text WHERE rowid = old.id;
                END;
                -- What the process that ran before did not come to.
                INSERT INTO note_text (rowid, title, body)
                SELECT id, title, body FROM note WHERE id NOT IN (SELECT rowid FROM note_text);

                -- A row that names no note is accepted at first and makes the COMMIT fail: see `ForcedFailure`.
                CREATE TABLE IF NOT EXISTS commit_check (
                    note_id INTEGER NOT NULL REFERENCES note (id) DEFERRABLE INITIALLY DEFERRED
                );
                """
        )
    }
}
