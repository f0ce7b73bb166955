/// One connection for all requests: the habit that this package exists to end.
///
/// Every request gets the same connection at the same time. Requests see, commit and roll back each other's
/// transactions. `Scripts/compare-global-client` measures it.
final class GlobalClient: DatabaseClients {
    private let connection: any DatabaseConnection
    private let search: TextSearch
    private let turns = Turnstile(places: 1)

    init(_ database: any Database) async throws {
        connection = try await database.connect()
        search = database.search
    }

    func lease(for tenant: Tenant?) async throws -> DatabaseClient {
        DatabaseClient(id: 1, tenant: tenant, search: search, connection: connection, source: self, turns: turns)
    }

    func giveBack(_ client: DatabaseClient) async {}

    func close() async {
        await connection.close()
    }
}
