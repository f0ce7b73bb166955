public import PerRequestAdapters

/// One promise of PerRequest, checked on a server of a framework.
///
/// **Isolation.** Checks are independent and may run at the same time.
///
/// **Errors.** A check that fails throws a ``ConformanceFailure``, or what the server or its client threw.
public struct ConformanceCheck: Sendable {
    /// What became of a check.
    public enum Result: Hashable, Sendable {
        /// It passed.
        case passed
        /// It was not run: the adapter lists what it checks as wholly unmet.
        case unmet([UnmetGuarantee])
    }

    /// What it checks.
    public let name: String

    /// The number of the rule.
    public let rule: Int

    /// The place that it checks.
    public let codePath: RequestCodePath

    let body: @Sendable (any ConformanceServer) async throws -> Void

    /// Every check.
    public static let all = exits + bodies + currency + outcomes + releases + requests

    /// How long a server may take to do what a check waits for, which is not what any of them measures.
    @TaskLocal package static var patience = Duration.seconds(60)

    /// Runs the check on a server that it starts and stops.
    ///
    /// - Parameters:
    ///   - server: The server.
    ///   - evenIfUnmet: Whether to run it although its adapter lists it as wholly unmet, to see that the list is not out of
    ///     date.
    /// - Returns: Whether it passed or was not run.
    /// - Throws: A ``ConformanceFailure`` if it failed, and what the server or its client threw.
    @discardableResult
    public func run(on server: some ConformanceServer, evenIfUnmet: Bool = false) async throws -> Result {
        let unmet = evenIfUnmet ? [] : server.unmetGuarantees.filter(isExcused)
        guard unmet.isEmpty else { return .unmet(unmet) }
        try await body(server)
        return .passed
    }

    /// Whether the entry of an adapter's list says that this check would fail.
    ///
    /// - Parameter unmet: The entry.
    public func isExcused(by unmet: UnmetGuarantee) -> Bool {
        unmet.extent == .wholly && unmet.rule == rule && unmet.codePath == codePath
    }
}

extension ConformanceCheck: CustomStringConvertible {
    /// The rule, the place and the name.
    public var description: String { "rule \(rule), \(codePath): \(name)" }
}
