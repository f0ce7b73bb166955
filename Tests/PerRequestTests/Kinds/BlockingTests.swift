import Foundation
import Testing

@testable import PerRequest

/// What keeps its thread cannot be cancelled; it is reported all the same.
@Suite("Code that blocks its thread (rule 13)", .timeLimit(.minutes(10)))
struct BlockingTests {
    enum Place: CaseIterable, Sendable { case factory, aroundBeforeUse, release, memo }

    /// Keeps the thread for longer than any of the limits here.
    private static func block() {
        let barrier = Barrier()
        let opener = Thread {
            Thread.sleep(forTimeInterval: 0.06)
            barrier.open()
        }
        opener.start()
        barrier.block()
    }

    private static func resource(_ place: Place, _ limit: Duration) -> RequestResource<Int> {
        // What does not block may be kept from its thread for longer, beside a busy suite.
        let never = Duration.seconds(3_600)
        let blocksRelease = place == .release
        let limits = ResourceLimits(acquire: blocksRelease ? never : limit, release: blocksRelease ? limit : never)
        switch place {
        case .factory, .release, .memo:
            return RequestResource("blocking", limits: limits) {
                if place == .factory { block() }
                return 1
            } release: { _, _ in
                if place == .release { block() }
            }
        case .aroundBeforeUse:
            return .around("blocking", limits: limits) { use in
                block()
                return try await use(1)
            }
        }
    }

    private static func memo(_ limit: Duration) -> RequestMemo<Int> {
        RequestMemo("blocking", timeout: limit) { () in
            block()
            return 1
        }
    }

    @Test(
        "Rule 13: what blocks for longer than its limit is reported once, with its name, place and time",
        arguments: [Place.factory, .aroundBeforeUse, .release],
        [false, true]
    )
    func reported(_ place: Place, inChild: Bool) async throws {
        let blocking = Self.resource(place, .milliseconds(20))
        let reports = Reports()
        let scope = StoreScope(id: "root", report: reports.take)
        try await scope.run {
            try await withRequestStore(inChild ? .child(owning: blocking) : .join, id: inChild ? "child" : nil) { _ in
                let value = try await blocking.get()
                #expect(value == 1)
            }
        }
        await scope.close()
        let blocked = reports.all.compactMap { report -> Duration? in
            guard case .blocked("blocking", let position, let duration) = report.kind else { return nil }
            #expect(position.fileID == "PerRequestTests/BlockingTests.swift")
            #expect(report.request == (inChild ? "child" : "root"))
            return duration
        }
        #expect(blocked.count == 1 && blocked.allSatisfy { $0 >= .milliseconds(50) }, "\(reports.all)")
    }

    @Test(
        "Rule 13: what blocks within its limit is not reported",
        arguments: [Place.factory, .aroundBeforeUse, .release]
    )
    func inTime(_ place: Place) async throws {
        let blocking = Self.resource(place, .seconds(30))
        let scope = StoreScope(report: { Issue.record("\($0)") })
        #expect(try await blocking.get(in: scope.store) == 1)
        await scope.close()
    }

    @Test("Rule 13: a memo's function that blocks is cut off for its callers, or reported")
    func memo() async throws {
        let memo = Self.memo(.milliseconds(20))
        let reports = Reports()
        let scope = StoreScope(report: reports.take)
        let reason = await reasonIfAny { try await scope.run { try await memo() } }
        let isReported = reports.all.contains { "\($0.kind)".hasPrefix("blocked") }
        #expect(reason?.name == "acquireTimedOut" || isReported)
        await scope.close()
        await until { scope.store.isClosed }
    }

    @Test("Rule 13: others are released in order although one before them blocks")
    func others() async throws {
        let journal = Journal()
        let first = noting("first", in: journal)
        let blocking = Self.resource(.release, .milliseconds(20))
        let last = noting("last", in: journal)
        let observer = CountingObserver()
        let scope = StoreScope(observers: [observer], report: { _ in })
        _ = try await first.get(in: scope.store)
        _ = try await blocking.get(in: scope.store)
        _ = try await last.get(in: scope.store)
        await scope.close()
        await observer.untilBalanced()
        #expect(journal.entries.suffix(2) == ["release last: commit", "release first: commit"])
    }
}
