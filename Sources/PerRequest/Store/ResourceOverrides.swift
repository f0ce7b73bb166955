/// What takes the place of resources in a store and its children: for `PerRequestTesting`.
package struct ResourceOverrides: Sendable {
    /// A resource's form, by its key's identity.
    private var forms: [Int: any Sendable] = [:]

    package init() {}

    /// Lets a resource be made by `acquire`, and its release do nothing.
    ///
    /// All else about it stays: its name, its point, its limits.
    package mutating func replace<Value: Sendable>(
        _ resource: RequestResource<Value>,
        by acquire: @escaping @Sendable () async throws -> Value
    ) {
        forms[resource.info.id] = RequestResource<Value>.Form.closures(
            acquire: { Box(try await acquire()) },
            release: { _, _ in }
        )
    }

    func form<Value>(of resource: RequestResource<Value>) -> RequestResource<Value>.Form {
        forms[resource.info.id] as? RequestResource<Value>.Form ?? resource.form
    }
}
