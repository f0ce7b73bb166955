import GRDB
import PerRequest

/// The notes of the request's tenant.
///
/// Every statement names the tenant; what belongs to others does not exist here.
enum NotesRepository {
    static func all() async throws -> [Note] {
        let tenant = Current.tenant.value
        return try await Current.client.get().read { db in try fetchAll(of: tenant, from: db) }
    }

    static func fetchAll(of tenant: Tenant, from db: Database) throws -> [Note] {
        let sql = "SELECT id, title, body FROM note WHERE tenant = ? ORDER BY id"
        return try Note.fetchAll(db, sql: sql, arguments: [tenant.name])
    }

    /// The newest notes that are older than `id`, newest first.
    static func newest(olderThan id: Int64, limit: Int) async throws -> [Note] {
        let tenant = Current.tenant.value
        return try await Current.client.get().read { db in
            try Note.fetchAll(
                db,
                sql: "SELECT id, title, body FROM note WHERE tenant = ? AND id < ? ORDER BY id DESC LIMIT ?",
                arguments: [tenant.name, id, limit]
            )
        }
    }

    static func count() async throws -> Int {
        let tenant = Current.tenant.value
        return try await Current.client.get().read { db in
            try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM note WHERE tenant = ?", arguments: [tenant.name]) ?? 0
        }
    }

    static func find(_ id: Int64) async throws -> Note? {
        let tenant = Current.tenant.value
        return try await Current.client.get().read { db in
            let sql = "SELECT id, title, body FROM note WHERE tenant = ? AND id = ?"
            return try Note.fetchOne(db, sql: sql, arguments: [tenant.name, id])
        }
    }

    static func insert(_ draft: NoteDraft) async throws -> Note {
        let tenant = Current.tenant.value
        return try await Current.transaction.get().write { db in
            try db.execute(
                sql: "INSERT INTO note (tenant, title, body) VALUES (?, ?, ?)",
                arguments: [tenant.name, draft.title, draft.body]
            )
            return Note(id: db.lastInsertedRowID, title: draft.title, body: draft.body)
        }
    }

    /// Deletes a note; false if there is none.
    static func delete(_ id: Int64) async throws -> Bool {
        let tenant = Current.tenant.value
        return try await Current.transaction.get().write { db in
            try db.execute(sql: "DELETE FROM note WHERE tenant = ? AND id = ?", arguments: [tenant.name, id])
            return db.changesCount > 0
        }
    }

    /// Writes a row that makes the commit of the request's transaction fail.
    static func makeCommitFail() async throws {
        try await Current.transaction.get().write { db in
            try db.execute(sql: "INSERT INTO commit_check (note_id) VALUES (-1)")
        }
    }
}
