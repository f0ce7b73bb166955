/// The tables, and who may see which of their rows.
///
/// Every transaction of a request runs as a role that owns nothing, `notes_app`, for the tenant that it has set. A row of
/// another tenant does not exist for it; without a tenant no row does.
enum PostgresSchema {
    static let role = "notes_app"

    /// Makes everything if it is not there yet; for that, the user of the connection has to be allowed to.
    ///
    /// It can be somebody else's before: a user who owns nothing and is a member of `notes_app` can serve, too.
    static func create(on connection: PostgresConnection) async throws {
        let isThere = "SELECT 1 FROM pg_class WHERE oid = to_regclass('commit_check')"
        guard try await connection.execute(isThere).rows.isEmpty else { return }
        try await connection.execute(
            script: """
                BEGIN;
                -- One of several that start at the same time.
                SELECT pg_advisory_xact_lock(7073);

                DO $$ BEGIN
                    CREATE ROLE \(role) NOLOGIN;
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
                END $$;
                DO $$ BEGIN
                    IF NOT pg_has_role('\(role)', 'MEMBER') THEN GRANT \(role) TO CURRENT_USER; END IF;
                END $$;

                CREATE OR REPLACE FUNCTION current_tenant() RETURNS text STABLE
                    RETURN nullif(current_setting('app.tenant', true), '');

                CREATE TABLE IF NOT EXISTS note (
                    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                    tenant text NOT NULL,
                    title text NOT NULL,
                    body text NOT NULL
                );
                CREATE INDEX IF NOT EXISTS note_of_tenant ON note (tenant, id);

                ALTER TABLE note ENABLE ROW LEVEL SECURITY;
                -- For the owner too.
                ALTER TABLE note FORCE ROW LEVEL SECURITY;
                DROP POLICY IF EXISTS note_of_tenant ON note;
                CREATE POLICY note_of_tenant ON note USING (tenant = current_tenant());
                GRANT SELECT, INSERT, UPDATE, DELETE ON note TO \(role);

                CREATE TABLE IF NOT EXISTS note_text (
                    note_id bigint PRIMARY KEY REFERENCES note (id) ON DELETE CASCADE,
                    tenant text NOT NULL,
                    words tsvector NOT NULL
                );
                CREATE INDEX IF NOT EXISTS note_text_words ON note_text USING gin (words);
                ALTER TABLE note_text ENABLE ROW LEVEL SECURITY;
                ALTER TABLE note_text FORCE ROW LEVEL SECURITY;
                DROP POLICY IF EXISTS note_text_of_tenant ON note_text;
                CREATE POLICY note_text_of_tenant ON note_text USING (tenant = current_tenant());
                GRANT SELECT, INSERT ON note_text TO \(role);

                -- A row that names no note is accepted at first and makes the COMMIT fail: see `ForcedFailure`.
                CREATE TABLE IF NOT EXISTS commit_check (
                    note_id bigint NOT NULL REFERENCES note (id) DEFERRABLE INITIALLY DEFERRED
                );
                GRANT INSERT ON commit_check TO \(role);
                COMMIT;
                """
        )
    }
}
