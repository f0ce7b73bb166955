import PerRequest

/// What belongs to the request that is being served: everything that no function here takes as a parameter.
enum Current {
    static let requestID = RequestLocal<String?>("requestID")
    static let tenant = RequestLocal("tenant", default: Tenant.public)

    /// The pool of the application that serves the request.
    static let pool = RequestLocal<ConnectionPool?>("pool")

    /// The id of the request's lease; nil as long as the request has not used the database.
    static let clientID = RequestLocal<Int?>("clientID")

    /// The same, as the middleware of `/whoami` saw it.
    static let clientIDInMiddleware = RequestLocal<Int?>("clientIDInMiddleware")

    /// The request's database connection, leased on first use.
    static let client = RequestResource("client", acquireTimeout: .seconds(5)) {
        let client = try await pool.require().lease()
        // Fails only if the request is over; then nobody reads it, and the release below still has to run.
        try? clientID.set(client.id)
        return client
    } release: { client, _ in
        await client.giveBack()
    }

    /// The request's transaction, on its connection.
    ///
    /// A response that promises success leaves after the commit.
    static let transaction = RequestResource.around("transaction", released: .beforeResponse) { use in
        try await client.get().withTransaction { transaction in try await use(transaction) }
    }
}
