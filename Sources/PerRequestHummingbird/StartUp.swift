#if Hummingbird
import Hummingbird
import Logging
import PerRequest
import PerRequestServiceLifecycle
import ServiceLifecycle
import Synchronization

/// Says why an application stopped before its server listened: Hummingbird does not, and `app.test(.live)` waits for ever then.
final class StartUp: Sendable {
    private struct State: Sendable {
        var logger: Logger?
        var isOver = false
    }

    private let state = Mutex(State())

    func began(_ logger: Logger) { state.withLock { $0.logger = logger } }

    func listens() { state.withLock { $0.isOver = true } }

    /// Runs what has to go well for the server to listen.
    func watch<Result>(_ what: @autoclosure () -> String, _ body: () async throws -> Result) async rethrows -> Result {
        do { return try await body() } catch {
            failed(what(), error)
            throw error
        }
    }

    /// The service, watched unless it is our own, which does not fail.
    func watched(_ service: any Service) -> any Service {
        service is BackgroundWork ? service : StartedService(base: service, startUp: self)
    }

    /// Logs what failed, if it is the first and the server does not listen.
    func failed(_ what: String, _ error: any Error) {
        let logger: Logger? = state.withLock { state in
            defer { state.isOver = true }
            return state.isOver ? nil : state.logger
        }
        logger?.critical(
            "The application stops before its server listens: \(what) failed",
            metadata: ["error": "\(error)"]
        )
    }
}

/// A service of an application, the failure of which is logged where it keeps the server from listening.
struct StartedService: Service, CustomStringConvertible {
    let base: any Service
    let startUp: StartUp

    var description: String { "\(base)" }

    func run() async throws { try await startUp.watch("the service \(base)") { try await base.run() } }
}
#endif
