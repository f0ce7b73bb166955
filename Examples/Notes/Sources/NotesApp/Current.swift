import PerRequest

/// What belongs to the request that is being served: everything that no function here takes as a parameter.
enum Current {
    static let requestID = RequestLocal<String?>("requestID")
    static let tenant = RequestLocal("tenant", default: Tenant.public, logged: { $0.name }, propagated: "tenant")

    /// Where the application that serves the request gets its database clients from.
    static let database = RequestLocal<(any DatabaseClients)?>("database")

    /// Where copies of notes go.
    static let mirror = RequestLocal<Mirror?>("mirror")

    /// The id of the request's lease as the middleware of `/whoami` saw it.
    static let clientIDInMiddleware = RequestLocal<Int?>("clientIDInMiddleware", logged: { "\($0)" })

    /// The request's database connection, leased on first use, for the request's tenant.
    static let client = RequestResource("client", limits: .init(acquire: .seconds(5))) {
        try await database.require().lease(for: tenant.value)
    } release: { client, _ in
        await client.giveBack()
    }

    /// The request's transaction, on its connection.
    ///
    /// A response that promises success leaves after the commit.
    static let transaction = RequestResource.around(
        "transaction",
        on: client,
        released: .beforeResponse
    ) { client, use in
        try await client.withTransaction { transaction in try await use(transaction) }
    }

    /// A part of the request's transaction that may be undone on its own: a child store's, one at a time.
    static let savepoint = RequestResource.around(
        "savepoint",
        on: transaction,
        released: .beforeResponse
    ) { transaction, use in
        try await transaction.withSavepoint { transaction in try await use(transaction) }
    }
}
