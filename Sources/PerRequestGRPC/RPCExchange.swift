#if GRPC
import GRPCCore
import PerRequest
import Synchronization

/// Whether the server was told to shut down: then an RPC can be cancelled though its client is there.
final class ShutdownFlag: Sendable {
    private let flag = Atomic(false)

    var hasBegun: Bool { flag.load(ordering: .relaxed) }

    func begin() { flag.store(true, ordering: .relaxed) }
}

/// One RPC on its way through the adapter's layers: what the transport and the interceptor tell each other.
///
/// The store holds it, so that it is there in callbacks that carry a snapshot; it must not hold the scope (rule 21).
final class RPCExchange: Sendable {
    private static let key = RequestLocal<RPCExchange?>("RPC", carried: false)

    /// The exchange of the RPC that the running code serves.
    static var current: RPCExchange? { key.value }

    private struct State: Sendable {
        var metadata: Metadata?
        var deadline: ContinuousClock.Instant?
        var isStatusWritten = false
        /// Why a part of the response could not be written.
        var writeFailure: RequestOutcome.Ending?
    }

    let context: ServerContext
    private weak let scope: StoreScope?
    private let shutdown: ShutdownFlag
    private let openedAt = ContinuousClock.now
    private let state = Mutex(State())

    init(context: ServerContext, scope: StoreScope, shutdown: ShutdownFlag) {
        self.context = context
        self.scope = scope
        self.shutdown = shutdown
    }

    /// Makes this the exchange of the store's RPC.
    func enter(_ store: RequestStore) {
        // Throws when the request is over, and this one begins.
        try? Self.key.set(self, in: store)
    }

    var metadata: Metadata? { state.withLock { $0.metadata } }

    /// How the RPC ended, as far as writing its response shows.
    var ending: RequestOutcome.Ending { state.withLock { $0.writeFailure } ?? .completed }

    func received(_ metadata: Metadata) {
        let timeout = metadata[stringValues: "grpc-timeout"].first { _ in true }.flatMap(Duration.init(gRPCTimeout:))
        state.withLock { state in
            state.metadata = metadata
            state.deadline = timeout.map { openedAt + $0 }
        }
    }

    /// Notes that a part of the response could not be written.
    ///
    /// What is written after the status, by a task that escaped the handler, says nothing about the client.
    func writeFailed(isStatus: Bool) {
        let ending: RequestOutcome.Ending = Task.isCancelled ? .cancelled : .clientDisconnected
        state.withLock { state in
            guard isStatus || !state.isStatusWritten, state.writeFailure == nil else { return }
            state.writeFailure = ending
        }
    }

    /// Notes that the status is written next.
    ///
    /// For a moment a stream that is closed takes what is written.
    func willWriteStatus() {
        let isClientGone = isClientGone
        state.withLock { state in
            state.isStatusWritten = true
            if isClientGone, state.writeFailure == nil { state.writeFailure = .clientDisconnected }
        }
    }

    /// Notes what the handler or its producer threw.
    func failed(_ error: any Error) {
        guard let scope else { return }
        if let cause = cause(of: error) { scope.fail(as: cause) } else { scope.fail(error) }
    }

    /// What is behind an error, where that is known: the client that left, or a cancellation.
    private func cause(of error: any Error) -> RequestOutcome.Ending? {
        // Writing failed before: the error is what became of that.
        if let known = state.withLock({ $0.writeFailure }) { return known }
        guard error.isOfCancellation else { return nil }
        if Task.isCancelled { return .cancelled }
        guard context.cancellation.isCancelled else { return nil }
        return isClientGone ? .clientDisconnected : .cancelled
    }

    /// Whether the RPC's stream was closed, for certain.
    ///
    /// gRPC cancels an RPC then, and when its deadline has passed, and when the server shuts down.
    private var isClientGone: Bool {
        guard context.cancellation.isCancelled, !shutdown.hasBegun else { return false }
        let (deadline, hasMetadata) = state.withLock { ($0.deadline, $0.metadata != nil) }
        let isDeadlinePassed = deadline.map { $0 <= .now } ?? false
        return hasMetadata && !isDeadlinePassed
    }
}

extension Error {
    /// Whether a handler throws this when its RPC is cancelled or its stream is closed.
    fileprivate var isOfCancellation: Bool {
        if self is CancellationError { return true }
        guard let error = self as? RPCError else { return false }
        return [.cancelled, .unavailable, .deadlineExceeded].contains(error.code)
    }
}

extension Duration {
    /// Reads a timeout as gRPC's header has it: up to eight digits and a unit.
    fileprivate init?(gRPCTimeout text: String) {
        guard let unit = text.last, let amount = Int64(text.dropLast()), (0...99_999_999).contains(amount) else {
            return nil
        }
        switch unit {
        case "H": self = .seconds(amount * 3_600)
        case "M": self = .seconds(amount * 60)
        case "S": self = .seconds(amount)
        case "m": self = .milliseconds(amount)
        case "u": self = .microseconds(amount)
        case "n": self = .nanoseconds(amount)
        default: return nil
        }
    }
}
#endif
