import PerRequest
import Synchronization
import Testing

struct TestError: Error, Equatable {
    let name: String

    init(_ name: String = "test") { self.name = name }
}

/// Tells when it goes away.
final class Tracked: Sendable {
    private let onDeinit: @Sendable () -> Void

    init(onDeinit: @escaping @Sendable () -> Void) { self.onDeinit = onDeinit }

    deinit { onDeinit() }
}

/// A resource that notes what happens to it.
func noting(
    _ name: String,
    in journal: Journal,
    released: ReleasePoint = .afterResponse,
    fileID: String = #fileID,
    line: UInt = #line
) -> RequestResource<String> {
    RequestResource(name, released: released, fileID: fileID, line: line) {
        journal.note("acquire \(name)")
        return name
    } release: { value, outcome in
        journal.note("release \(value): \(outcome.verdict)")
    }
}

/// The reason of the store error that `body` throws.
func reason<Result>(
    sourceLocation: SourceLocation = #_sourceLocation,
    of body: () async throws -> Result
) async -> RequestStoreError.Reason? {
    await #expect(throws: RequestStoreError.self, sourceLocation: sourceLocation) { _ = try await body() }?.reason
}

extension RequestStoreError.Reason {
    /// The case's name, for comparisons.
    var name: String { String("\(self)".prefix { $0 != "(" }) }
}

extension RequestOutcome.Ending {
    /// The case's name, for comparisons.
    var name: String { String("\(self)".prefix { $0 != "(" }) }
}

/// Sees the outcomes and the balance of the stores it observes.
final class CountingObserver: RequestObserver {
    struct Counts: Equatable, Sendable {
        var opened = 0
        var closed = 0
        var acquired = 0
        var released = 0
    }

    private let state = Lock<(counts: Counts, outcomes: [RequestOutcome])>((Counts(), []))

    var counts: Counts { state.withLock { $0.counts } }

    var outcomes: [RequestOutcome] { state.withLock { $0.outcomes } }

    func observe(_ event: RequestEvent) {
        state.withLock { state in
            switch event.kind {
            case .opened: state.counts.opened += 1
            case .acquired: state.counts.acquired += 1
            case .released: state.counts.released += 1
            case .closed(let outcome):
                state.counts.closed += 1
                state.outcomes.append(outcome)
            default: break
            }
        }
    }
}

/// Collects reports and can be waited on.
final class Reports: Sendable {
    private let reports = Lock<[RequestReport]>([])
    let first = Signal()

    var all: [RequestReport] { reports.withLock { $0 } }

    @Sendable
    func take(_ report: RequestReport) {
        reports.withLock { $0.append(report) }
        first.fire()
    }
}

/// Counts.
final class Counter: Sendable {
    private let number = Lock(0)

    var count: Int { number.withLock { $0 } }

    @discardableResult
    func next() -> Int {
        number.withLock { number in
            number += 1
            return number
        }
    }
}

/// Whether this build runs under ThreadSanitizer.
#if PERREQUEST_THREAD_SANITIZER
let isThreadSanitized = true
#else
let isThreadSanitized = false
#endif
