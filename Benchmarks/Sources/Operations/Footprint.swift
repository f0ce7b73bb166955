import PerRequest
public import PerRequestAdapters

/// A store whose memory is measured while it is open.
public struct Footprint: Sendable {
    /// What `Scripts/bench` calls it.
    public let name: String

    /// Opens one, as an adapter does it.
    public let open: @Sendable () async throws -> RequestScope

    /// Closes them.
    public func closeAll(_ scopes: [RequestScope]) async {
        for scope in scopes { await scope.close() }
    }

    /// All of them.
    public static let all = [
        Footprint(name: "an open store, unused") { RequestScope() },
        Footprint(name: "an open store, with 4 values and 2 resources") {
            let scope = RequestScope()
            try await scope.run {
                for number in Current.numbers.prefix(4) { try number.set(1) }
                for resource in Resources.all.prefix(2) { _ = try await resource.get() }
            }
            return scope
        },
    ]
}
