extension RequestResource where Value: Sendable {
    /// Makes a key around any `with…` function: the resource is what the function gives, for the length of the request.
    ///
    /// `use` waits, for as long as the request uses the value. It returns when the request succeeded and throws when it
    /// did not, so that a transaction commits or rolls back by itself.
    ///
    /// ```swift
    /// static let transaction = RequestResource.around("transaction", released: .beforeResponse) { use in
    ///     try await connection.get().withTransaction { transaction in try await use(transaction) }
    /// }
    /// ```
    ///
    /// The body calls `use` exactly once and returns what it returned. Never calling it fails the acquisition. A second
    /// call throws and fails the resource, since a request cannot be replayed: turn retries off. If the body ends while
    /// the request uses the value, the resource is lost: reading it throws, and the request is rolled back.
    ///
    /// - Parameters:
    ///   - name: The key's name in errors.
    ///   - released: When `use` returns.
    ///   - limits: How long the body may take until it calls `use`, and how long to end once `use` has returned.
    ///   - body: Calls `use`. It runs in a task that the store owns; the request's cancellation does not reach it.
    /// - Returns: The key.
    public static func around(
        _ name: String,
        released: ReleasePoint = .afterResponse,
        limits: ResourceLimits = ResourceLimits(),
        _ body: @escaping @Sendable (RequestUse<Value>) async throws -> RequestUse<Value>.Receipt
    ) -> RequestResource {
        RequestResource(
            info: ResourceInfo(
                name: name,
                point: released,
                limits: limits,
                .around { gate, publish, lost in
                    _ = try await body(RequestUse(gate: gate, publish: { publish(Box($0)) }, lost: lost))
                }
            )
        )
    }

    /// Says what is wrong with a body that does not return what `use` returned.
    @available(
        *,
        unavailable,
        message: "return what `use(_:)` returned, or `use.receipt()` where the function returns nothing"
    )
    public static func around(
        _ name: String,
        released: ReleasePoint = .afterResponse,
        limits: ResourceLimits = ResourceLimits(),
        _ body: @escaping @Sendable (RequestUse<Value>) async throws -> Void
    ) -> RequestResource {
        fatalError("unavailable")
    }
}
