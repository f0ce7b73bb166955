package import PerRequest

#if Hummingbird || NIO || FlyingFox
/// How a client leaves.
package enum Leaving: CaseIterable, Sendable {
    case reset, close

    package func perform(_ client: RawClient) async throws {
        switch self {
        case .reset: try await client.reset()
        case .close: try await client.close()
        }
    }
}
#endif

extension Watch {
    /// Acquires a resource of each point.
    package func useBoth() -> @Sendable () async throws -> Void {
        let (before, after) = (resource("before", released: .beforeResponse), resource("after"))
        return { _ = try await (before.get(), after.get()) }
    }

    /// What both note of a request that ends like this.
    package static func journal(ofBoth ending: String, _ verdict: RequestOutcome.Verdict) -> [String] {
        let atSettling = verdict == .commit ? "completed" : ending
        return ["before current \(verdict) \(atSettling)", "after current \(verdict) \(ending)"]
    }
}

extension Watch.Counts {
    /// Those of one request that used both.
    package static let ofBoth = Watch.Counts(opened: 1, closed: 1, acquired: 2, released: 2)
}
