/// What takes the place of resources in a store and its children: for `PerRequestTesting`.
package struct ResourceOverrides: Sendable {
    /// A resource's form, by its key's identity.
    private var functions: [Int: ResourceInfo.Function] = [:]

    package init() {}

    /// Lets a resource be made by `acquire`, and its release do nothing.
    ///
    /// All else about it stays: its name, its point, its limits.
    package mutating func replace<Value: Sendable>(
        _ resource: RequestResource<Value>,
        by acquire: @escaping @Sendable () async throws -> Value
    ) {
        functions[resource.info.id] = .closures(
            acquire: { Box(try await acquire()) },
            release: { _, _ in }
        )
    }

    func function(of resource: ResourceInfo) -> ResourceInfo.Function {
        functions.isEmpty ? resource.function : functions[resource.id] ?? resource.function
    }
}
