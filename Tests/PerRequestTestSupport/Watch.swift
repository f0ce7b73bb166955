package import PerRequest
import Synchronization

/// Sees what the stores of a server do, and can be waited on.
package final class Watch: RequestObserver {
    package struct Counts: Equatable, Sendable {
        package var opened = 0
        package var closed = 0
        package var acquired = 0
        package var released = 0

        package init(opened: Int = 0, closed: Int = 0, acquired: Int = 0, released: Int = 0) {
            (self.opened, self.closed, self.acquired, self.released) = (opened, closed, acquired, released)
        }
    }

    private let state = Lock(Counts())
    private let outcomes: AsyncStream<RequestOutcome>
    private let continuation: AsyncStream<RequestOutcome>.Continuation
    private let notes = Lock<[String]>([])
    private let phaseNotes = Lock<[String]>([])
    private let handling: AsyncStream<Void>
    private let handlingContinuation: AsyncStream<Void>.Continuation

    package init() {
        (outcomes, continuation) = AsyncStream.makeStream()
        (handling, handlingContinuation) = AsyncStream.makeStream()
    }

    package var counts: Counts { state.withLock { $0 } }

    package var journal: [String] { notes.withLock { $0 } }

    /// What adapters said is served, and its phases.
    package var phases: [String] { phaseNotes.withLock { $0 } }

    package func note(_ line: String) { notes.withLock { $0.append(line) } }

    /// Says that the handler is at work.
    package func handlerIsAtWork() { handlingContinuation.finish() }

    /// Waits until a handler says that it is at work.
    package func untilHandlerIsAtWork() async { for await _ in handling {} }

    /// The outcome of the next request that closes.
    ///
    /// To be called by one task at a time.
    package func nextOutcome() async -> RequestOutcome? {
        await outcomes.first { _ in true }
    }

    package func observe(_ event: RequestEvent) {
        switch event.kind {
        case .opened: state.withLock { $0.opened += 1 }
        case .acquired: state.withLock { $0.acquired += 1 }
        case .released: state.withLock { $0.released += 1 }
        case .closed(let outcome):
            state.withLock { $0.closed += 1 }
            continuation.yield(outcome)
        case .serving(let served):
            phaseNotes.withLock { $0.append("\(served.transport) \(served.method) \(served.route ?? "-")") }
        case .entered(let phase): phaseNotes.withLock { $0.append("\(phase)") }
        default: break
        }
    }

    /// A resource that notes its releases here: its name, whether its store was current, the verdict and the ending.
    package func resource(
        _ name: String,
        released: ReleasePoint = .afterResponse,
        fileID: String = #fileID,
        line: UInt = #line
    ) -> RequestResource<String> {
        RequestResource(name, released: released, fileID: fileID, line: line) {
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
    package var name: String { String("\(self)".prefix { $0 != "(" }) }
}

package struct TestError: Error, Equatable {
    package let name: String

    package init(_ name: String = "test") { self.name = name }
}
