#if FlyingFox
import PerRequest
import Synchronization

/// Sees what the stores of a server do, and can be waited on.
final class Watch: RequestObserver {
    struct Counts: Equatable, Sendable {
        var opened = 0
        var closed = 0
        var acquired = 0
        var released = 0
    }

    private let state = Mutex(Counts())
    private let outcomes: AsyncStream<RequestOutcome>
    private let continuation: AsyncStream<RequestOutcome>.Continuation
    private let notes = Mutex<[String]>([])
    private let handling: AsyncStream<Void>
    private let handlingContinuation: AsyncStream<Void>.Continuation

    init() {
        (outcomes, continuation) = AsyncStream.makeStream()
        (handling, handlingContinuation) = AsyncStream.makeStream()
    }

    var counts: Counts { state.withLock { $0 } }

    var journal: [String] { notes.withLock { $0 } }

    func note(_ line: String) { notes.withLock { $0.append(line) } }

    /// Says that the handler is at work.
    func handlerIsAtWork() { handlingContinuation.finish() }

    /// Waits until a handler says that it is at work.
    func untilHandlerIsAtWork() async { for await _ in handling {} }

    /// The outcome of the next request that closes.
    ///
    /// To be called by one task at a time.
    func nextOutcome() async -> RequestOutcome? {
        await outcomes.first { _ in true }
    }

    func opened(_ store: RequestStore) { state.withLock { $0.opened += 1 } }

    func acquired(_ resource: String, in store: RequestStore) { state.withLock { $0.acquired += 1 } }

    func released(_ resource: String, in store: RequestStore, error: (any Error)?) {
        state.withLock { $0.released += 1 }
    }

    func closed(_ store: RequestStore, outcome: RequestOutcome) {
        state.withLock { $0.closed += 1 }
        continuation.yield(outcome)
    }

    /// A resource that notes its releases here: its name, whether its store was current, the verdict and the ending.
    func resource(_ name: String, released: ReleasePoint = .afterResponse) -> RequestResource<String> {
        RequestResource(name, released: released) {
            name
        } release: { [self] value, outcome in
            await Task.yield()
            let isCurrent = RequestStore.current.map { !$0.isClosed } ?? false
            note("\(value) \(isCurrent ? "current" : "not current") \(outcome.verdict) \(outcome.ending.name)")
        }
    }
}

extension RequestOutcome.Ending {
    /// The case's name, for comparisons.
    var name: String { String("\(self)".prefix { $0 != "(" }) }
}

struct TestError: Error, Equatable {
    let name: String

    init(_ name: String = "test") { self.name = name }
}
#endif
