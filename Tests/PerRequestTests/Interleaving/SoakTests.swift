import Foundation
import Synchronization
import Testing

@testable import PerRequest

/// Random requests on the real classes: trees of stores, everything that keys can do, and all endings, racing.
///
/// Three seconds by default; `PERREQUEST_SOAK_SECONDS` says otherwise. The seed of a request that goes wrong is printed;
/// `PERREQUEST_SEED=n` repeats that one.
@Suite("Soak (rules 4, 8 to 17)", .serialized)
struct SoakTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seconds = environment["PERREQUEST_SOAK_SECONDS"].flatMap(Double.init) ?? 3
    private static let chosen = environment["PERREQUEST_SEED"].flatMap(UInt64.init)

    @Test("on the executors of a server, with limits of a millisecond")
    func concurrent() async {
        let soak = Soak(seed: Self.chosen, seconds: Self.seconds * 2 / 3)
        await soak.run(callers: 4)
        if let problem = soak.problem { Issue.record("\(problem)") }
        print("Soaked on all threads: \(soak.summary)")
    }

    @Test("on one thread, in an order that the seed decides")
    func ordered() async {
        let soak = Soak(seed: Self.chosen, seconds: Self.seconds / 3)
        await onOwnThread { soak.runInOrder() }
        if let problem = soak.problem { Issue.record("\(problem)") }
        print("Soaked on one thread: \(soak.summary)")
    }

    /// Only where the process is the soak's own: the pool also hands out the slots of what other tests had open at once.
    @Test(
        "the slots of all those requests were used again",
        .enabled(if: environment["PERREQUEST_SOAK_SECONDS"] != nil)
    )
    func slots() {
        let (slots, open) = SoakSlots.shared.counts
        #expect(slots <= 4 * open + 200, "\(slots) slots for \(open) stores that were open at the same time")
    }
}
