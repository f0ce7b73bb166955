public import PerRequestAdapters

/// A server of a framework, with its adapter: what the conformance suite runs on.
///
/// Write one for your framework, and run every ``ConformanceCheck`` on it:
///
/// ```swift
/// @Test("holds what it does not list as unmet", arguments: ConformanceCheck.all)
/// func conforms(_ check: ConformanceCheck) async throws { try await check.run(on: MyServer()) }
/// ```
///
/// **Isolation.** Several checks may run at the same time, each on a server of its own: listen on a free port.
public protocol ConformanceServer: Sendable {
    /// What the adapter lists as not held.
    ///
    /// A check of a guarantee that is wholly unmet is not run.
    var unmetGuarantees: [UnmetGuarantee] { get }

    /// Whether the client learns of success at the end of the response, as in gRPC, and not by its head, as in HTTP.
    ///
    /// `false` by default.
    var promisesSuccessLast: Bool { get }

    /// Runs a real server, with the adapter, for as long as `body` runs.
    ///
    /// Every request goes through `application`'s hooks and handler; the adapter gets its observer and its owner of work
    /// after the response, which is run for as long as the server.
    ///
    /// **Cancellation.** The server stops when the calling task is cancelled, and this returns.
    ///
    /// - Parameters:
    ///   - application: What the server serves.
    ///   - body: Drives the server. It gets a function that opens a connection to it.
    /// - Throws: What `body` throws, and what the framework throws.
    func run(_ application: ConformanceApplication, _ body: ConformanceBody) async throws
}

/// Drives a server: it gets a function that opens a connection to it.
///
/// A server names this type: written out, it is another one in a module without the upcoming feature
/// `NonisolatedNonsendingByDefault`.
public typealias ConformanceBody = @Sendable (_ connect: @escaping ConformanceConnect) async throws -> Void

/// Opens a connection to a server.
public typealias ConformanceConnect = @Sendable () async throws -> any ConformanceConnection

extension ConformanceServer {
    /// `false`.
    public var promisesSuccessLast: Bool { false }
}
