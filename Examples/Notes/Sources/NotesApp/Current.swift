import PerRequest

/// What belongs to the request that is being served: everything that no function here takes as a parameter.
enum Current {
    static let requestID = RequestLocal<String?>("requestID")
    static let tenant = RequestLocal("tenant", default: Tenant.public)

    /// The pool of the application that serves the request.
    static let pool = RequestLocal<ConnectionPool?>("pool")

    /// The id of the request's lease as the middleware of `/whoami` saw it.
    static let clientIDInMiddleware = RequestLocal<Int?>("clientIDInMiddleware")

    /// The request's database connection, leased on first use.
    static let client = RequestResource("client", limits: .init(acquire: .seconds(5))) {
        try await pool.require().lease()
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
