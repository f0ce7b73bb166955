import PerRequest
import PerRequestTracing

/// The notes of the request's tenant.
///
/// Every statement names the tenant; what belongs to others does not exist here. The same SQL serves both databases.
enum NotesRepository {
    static let allNotes = "SELECT id, title, body FROM note WHERE tenant = current_tenant() ORDER BY id"

    static func all() async throws -> [Note] {
        try await Current.client.get().query(allNotes).map(Note.init)
    }

    /// The newest notes that are older than `id`, newest first.
    static func newest(olderThan id: Int64, limit: Int) async throws -> [Note] {
        try await Current.client.get().query(
            """
            SELECT id, title, body FROM note WHERE tenant = current_tenant() AND id < $1 ORDER BY id DESC LIMIT $2
            """,
            .integer(id),
            .integer(Int64(limit))
        ).map(Note.init)
    }

    static func count() async throws -> Int {
        let rows = try await Current.client.get().query("SELECT COUNT(*) FROM note WHERE tenant = current_tenant()")
        return try rows.first.map { row in Int(try row.integer(0)) } ?? 0
    }

    static func find(_ id: Int64) async throws -> Note? {
        try await Current.client.get().query(
            "SELECT id, title, body FROM note WHERE tenant = current_tenant() AND id = $1",
            .integer(id)
        ).first.map(Note.init)
    }

    static func insert(_ draft: NoteDraft) async throws -> Note {
        let rows = try await Current.transaction.get().query(
            "INSERT INTO note (tenant, title, body) VALUES (current_tenant(), $1, $2) RETURNING id, title, body",
            .text(draft.title),
            .text(draft.body)
        )
        let note = try Note(rows[0])
        // The author does not wait for it; if the note is rolled back, it does not run.
        try RequestStore.afterResponse("index the note") { try await index(note.id) }
        Travels.log("A note was made")
        // What came as a copy is not copied again: two may be each other's mirror.
        if let mirror = Current.mirror.value, RequestBaggage.caller.value == nil {
            try RequestStore.afterResponse("mirror the note") { try await mirror.add(note) }
        }
        return note
    }

    /// Makes a note findable by its words.
    private static func index(_ id: Int64) async throws {
        let transaction = try await Current.transaction.get()
        _ = try await transaction.query(transaction.client.search.index, .integer(id))
        Travels.log("A note was indexed")
    }

    /// The notes in which all words of `text` are, newest first.
    static func find(_ text: String) async throws -> [Note] {
        let client = try await Current.client.get()
        return try await client.query(client.search.find, .text(client.search.pattern(text))).map(Note.init)
    }

    /// Deletes a note; false if there is none.
    static func delete(_ id: Int64) async throws -> Bool {
        try await !Current.transaction.get().query(
            "DELETE FROM note WHERE tenant = current_tenant() AND id = $1 RETURNING id",
            .integer(id)
        ).isEmpty
    }

    /// Runs a statement that the database refuses.
    static func makeStatementFail() async throws {
        _ = try await Current.transaction.get().query(
            "INSERT INTO note (tenant, title, body) VALUES (NULL, NULL, NULL)"
        )
    }

    /// Writes a row that makes the commit of the request's transaction fail.
    static func makeCommitFail() async throws {
        _ = try await Current.transaction.get().query("INSERT INTO commit_check (note_id) VALUES (-1)")
    }
}
