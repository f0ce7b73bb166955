/// Where a request gets its database client from.
protocol DatabaseClients: Sendable {
    /// Waits for a client for `tenant`.
    func lease(for tenant: Tenant?) async throws -> DatabaseClient

    func giveBack(_ client: DatabaseClient) async

    /// Closes the connections that are not in use, and every other one when it comes back.
    func close() async
}
