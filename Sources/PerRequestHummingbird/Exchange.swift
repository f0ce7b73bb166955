#if Hummingbird
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import PerRequest
import PerRequestNIO
import Synchronization

/// One request on its way through the adapter's layers, from the channel to the router.
struct Exchange: Sendable {
    @TaskLocal static var current: Exchange?

    /// Not a scope: tasks of the store inherit this, and must not keep the request open (rule 21).
    let store: RequestStore
    let log: ExchangeLog
    /// The client's connection; `nil` where the request did not come by one.
    let channel: (any Channel)?

    /// Notes what the handler threw, or why: the client left, or the request was cancelled.
    func failed(_ error: any Error) async {
        if let channel {
            store.fail(as: await .init(serving: error, on: channel))
        } else {
            store.fail(error)
        }
        log.handlerFailed(error)
    }
}

extension RequestOutcome.Ending {
    /// How a request ended that threw.
    init(serving error: any Error, on channel: any Channel) async {
        // What Hummingbird makes of a broken upload that a streamed body reads.
        let isOfHummingbird = String(reflecting: type(of: error)) == "HummingbirdCore.HTTPChannelError"
        await self.init(of: error, isOfConnection: isOfHummingbird || error.isOfNIO, on: channel)
    }
}

/// What the layers tell each other about a request, and where its reports go.
///
/// While the response is being settled, reports are kept back, so that what the handler threw is the first error in the
/// log.
final class ExchangeLog: ReportReceiver {
    private struct State: Sendable {
        var logger: Logger?
        /// Hummingbird's id, of which no text is made yet.
        var id: Logger.MetadataValue?
        var outerLogger: Logger?
        var isClaimed = false
        /// Whether the router notes what its routes throw.
        var seesEndpoints = false
        var middlewareRan = false
        var handlerError: (any Error)?
        var writtenStatus: HTTPResponse.Status?
        var isWriting = false
        var isSettling = false
        var keptBack: [RequestReport] = []
    }

    private let state = Mutex(State())

    /// The request's logger, once Hummingbird has made it.
    var logger: Logger? { state.withLock { $0.logger } }

    /// The logger of the request that this one was sent from within.
    var outerLogger: Logger? { state.withLock { $0.outerLogger } }

    /// Claims the exchange for the router of its application.
    ///
    /// Returns false if that has happened: what asks now is another request, sent through a router within the first.
    ///
    /// A request that is sent from within another may bring our own logger along, which would forward to itself: then the
    /// other request's logger takes its place. So it does where our logger comes wrapped, which shows only when it is used.
    func claim(logger: Logger, _ seesEndpoints: Bool) -> Bool {
        let outer = Exchange.current.flatMap { $0.log === self ? nil : $0.log.logger }
        let logger = type(of: logger.handler) == RequestLogHandler.self ? outer : logger
        // Not under the lock: the handler is a user's. One that comes back to ours finds no logger of this request there yet.
        let id = logger?[metadataKey: "hb.request.id"]
        return state.withLock { state in
            guard !state.isClaimed else { return false }
            state.isClaimed = true
            state.seesEndpoints = seesEndpoints
            state.logger = logger
            state.id = id
            state.outerLogger = outer
            return true
        }
    }

    /// Notes that ``RequestStoreMiddleware`` runs.
    ///
    /// - Returns: Whether it is needed.
    func middlewareRan() -> Bool {
        state.withLock { state in
            state.middlewareRan = true
            return !state.seesEndpoints
        }
    }

    /// Whether what was thrown has been noted.
    var areErrorsSeen: Bool { state.withLock { $0.seesEndpoints || $0.middlewareRan } }

    func handlerFailed(_ error: any Error) {
        // The first cause counts.
        state.withLock { if $0.handlerError == nil { $0.handlerError = error } }
    }

    func willWrite(_ status: HTTPResponse.Status) { state.withLock { $0.writtenStatus = status } }

    /// Notes that the response is Hummingbird's to write.
    func writes() { state.withLock { $0.isWriting = true } }

    var writtenStatus: RequestStatus? { state.withLock { $0.writtenStatus.map { .http($0.code) } } }

    func settling() { state.withLock { $0.isSettling = true } }

    /// Ends the settling and logs what was kept back.
    func settled() {
        let (logger, handlerError, reports) = state.withLock { state in
            defer {
                state.isSettling = false
                state.keptBack = []
            }
            return (state.logger, state.handlerError, state.keptBack)
        }
        guard !reports.isEmpty else { return }
        if let handlerError, let logger {
            let metadata: Logger.Metadata = ["error": "\(handlerError)"]
            RequestLogHandler.forwarding { logger.error("The request failed", metadata: metadata) }
        }
        for report in reports { Self.log(report, to: logger) }
    }

    /// Hummingbird's id of the request, as its logger has it.
    var requestID: String? {
        state.withLock { $0.id }.map { "\($0)" }
    }

    /// Hummingbird makes its ids of numbers: no text is made of one that nobody reads.
    var laterID: (any CustomStringConvertible & Sendable)? {
        guard case .stringConvertible(let id) = state.withLock({ $0.id }), type(of: id) == RequestID.self else {
            return nil
        }
        return id
    }

    func runJob<Result: Sendable>(_ job: nonisolated(nonsending) () async -> Result) async -> Result {
        guard let logger else { return await job() }
        return await withLogger(logger) { _ in await job() }
    }

    /// Logs what was thrown while the response was written: the client has part of it, and nobody else is told.
    func bodyFailed(_ error: any Error, _ ending: RequestOutcome.Ending) {
        guard let logger = state.withLock({ $0.isWriting ? $0.logger : nil }) else { return }
        let isOfClient = if case .clientDisconnected = ending { true } else { false }
        RequestLogHandler.forwarding {
            logger.log(
                level: isOfClient ? .debug : .error,
                isOfClient ? "The client left while the response was written" : "The response's body failed",
                metadata: ["error": "\(error)"]
            )
        }
    }

    func receive(_ report: RequestReport) {
        let isKeptBack = state.withLock { state in
            if state.isSettling { state.keptBack.append(report) }
            return state.isSettling
        }
        if !isKeptBack { Self.log(report, to: logger) }
    }

    private static func log(_ report: RequestReport, to logger: Logger?) {
        let message: Logger.Message = "PerRequest: \(report)"
        // A client can cause that as often as it likes.
        let level: Logger.Level = if case .notPropagated = report.kind { .warning } else { .error }
        guard let logger else { return Logger.current.log(level: level, message) }
        RequestLogHandler.forwarding { logger.log(level: level, message) }
    }
}
#endif
