import PerRequest
import Testing

/// Nothing is released while something is built on it, wherever its user is.
@Suite("Never released under its user (rules 4, 12 and 13)", .timeLimit(.minutes(10)))
struct ReleaseUnderUserTests {
    enum Place: CaseIterable, Sendable {
        case factory, aroundBeforeUse, aroundDuringUse, aroundAfterUse, release

        /// A store that is closing opens no child any more.
        var points: [ReleasePoint] {
            switch self {
            case .factory, .aroundBeforeUse, .aroundDuringUse: [.beforeResponse, .afterResponse]
            case .aroundAfterUse, .release: [.beforeResponse]
            }
        }
    }

    /// A resource that uses a connection in a child of its own, at some place of its life.
    ///
    /// Its use ends when `end` is fired and says so in the journal.
    private static func user(
        at place: Place,
        of connection: RequestResource<String>,
        depth: Int,
        point: ReleasePoint,
        limits: ResourceLimits = ResourceLimits(),
        in journal: Journal,
        _ begun: Signal,
        _ end: Signal
    ) -> RequestResource<Int> {
        @Sendable func use() async throws {
            defer { begun.fire() }
            try await inChildren(depth, owning: connection) {
                _ = try await connection.get()
                begun.fire()
                await end.wait()
                await pause()
                journal.note("used")
            }
        }
        switch place {
        case .factory, .release:
            return RequestResource("user", released: point, limits: limits) {
                if place == .factory { try await use() }
                return 1
            } release: { _, _ in
                if place == .release { try await use() }
            }
        case .aroundBeforeUse:
            return .around("user", released: point, limits: limits) { gate in
                try await use()
                return try await gate(1)
            }
        case .aroundAfterUse:
            return .around("user", released: point, limits: limits) { gate in
                do {
                    let receipt = try await gate(1)
                    try await use()
                    return receipt
                } catch {
                    try await use()
                    throw error
                }
            }
        case .aroundDuringUse:
            return .around("user", released: point, limits: limits) { gate in
                try await inChildren(depth, owning: connection) {
                    _ = try await connection.get()
                    do {
                        begun.fire()
                        let receipt = try await gate(1)
                        await end.wait()
                        journal.note("used")
                        return receipt
                    } catch {
                        await end.wait()
                        journal.note("used")
                        throw error
                    }
                }
            }
        }
    }

    @Test(
        "Rule 4: what an entry's own child holds is released after the entry has used it, however its parent ends",
        arguments: Place.allCases,
        [1, 2, 3]
    )
    func ownChild(_ place: Place, depth: Int) async throws {
        for point in place.points {
            for settles in [true, false] {
                for fails in [true, false] {
                    let journal = Journal()
                    let (begun, end) = (Signal(), Signal())
                    let connection = noting("connection", in: journal)
                    let user = Self.user(at: place, of: connection, depth: depth, point: point, in: journal, begun, end)
                    let observer = CountingObserver()
                    let scope = StoreScope(observers: [observer], report: { _ in })
                    let caller = Task { try? await user.get(in: scope.store) }
                    if place == .factory || place == .aroundBeforeUse {
                        await begun.wait()
                    } else {
                        _ = await caller.value
                    }
                    if fails { scope.fail(TestError()) }
                    let ending = Task {
                        if settles { await scope.settle(status: .http(200)) }
                        await scope.close()
                    }
                    await begun.wait()
                    #expect(journal.entries == ["acquire connection"])
                    end.fire()
                    await ending.value
                    _ = await caller.value
                    await until { scope.store.isClosed }
                    #expect(journal.entries.map { $0.prefix(11) } == ["acquire con", "used", "release con"])
                    await observer.untilBalanced()
                }
            }
        }
    }

    @Test(
        "Rule 13: what the child of an overdue entry holds waits for it; its parent goes on",
        arguments: Place.allCases.flatMap { place in place.points.map { (place, $0) } }
    )
    func overdueOwner(_ place: Place, _ point: ReleasePoint) async throws {
        let journal = Journal()
        let (begun, end) = (Signal(), Signal())
        let connection = noting("connection", in: journal)
        let other = noting("other", in: journal)
        let limits = ResourceLimits(release: .milliseconds(20))
        let user = Self.user(
            at: place,
            of: connection,
            depth: 2,
            point: point,
            limits: limits,
            in: journal,
            begun,
            end
        )
        let observer = CountingObserver()
        let scope = StoreScope(observers: [observer], report: { _ in })
        _ = try await other.get(in: scope.store)
        let caller = Task { try? await user.get(in: scope.store) }
        if place == .factory || place == .aroundBeforeUse { await begun.wait() } else { _ = await caller.value }
        await scope.settle(status: .http(200))
        await scope.close()
        await until { journal.entries.contains { $0.hasPrefix("release other") } }
        #expect(!journal.entries.contains { $0.hasPrefix("release connection") })
        #expect(!scope.store.isClosed)
        end.fire()
        await until { scope.store.isClosed }
        #expect(journal.entries.suffix(2).map { $0.prefix(18) } == ["used", "release connection"])
        await observer.untilBalanced()
        _ = await caller.value
    }

    @Test(
        "Rule 13: the parent's connection stays for a child's resource that an overdue `around` uses",
        arguments: [ReleasePoint.beforeResponse, .afterResponse],
        [1, 3]
    )
    func parentsConnection(_ point: ReleasePoint, depth: Int) async throws {
        let journal = Journal()
        let end = Signal()
        let connection = noting("connection", in: journal)
        let statement = RequestResource("statement") {
            try await connection.get()
        } release: { _, _ in
            journal.note("release statement")
        }
        let transaction = RequestResource<String>.around(
            "transaction",
            released: point,
            limits: .init(release: .milliseconds(20))
        ) { use in
            try await inChildren(depth, owning: statement) {
                let receipt = try await use(try await statement.get())
                await end.wait()
                journal.note("committed")
                return receipt
            }
        }
        let scope = StoreScope(report: { _ in })
        let other = noting("other", in: journal)
        // Also where the connection is the last that was acquired.
        _ = try await other.get(in: scope.store)
        _ = try await transaction.get(in: scope.store)
        _ = try await connection.get(in: scope.store)
        let settlement = await scope.settle(status: .http(200))
        #expect(settlement.replacement == (point == .beforeResponse ? .http(503) : nil))
        await scope.close()
        await until { journal.entries.contains { $0.hasPrefix("release other") } }
        #expect(journal.entries.count == 3)
        end.fire()
        await until { scope.store.isClosed }
        #expect(
            journal.entries.suffix(3).map { $0.prefix(18) } == ["committed", "release statement", "release connection"]
        )
    }

    @Test("Rules 12, 13: a COMMIT that overran while settling runs on its connection after the close", arguments: 0..<2)
    func overranWhileSettling(_ children: Int) async throws {
        let journal = Journal()
        let end = Signal()
        let connection = noting("connection", in: journal)
        let transaction = RequestResource<String>.around("transaction", released: .beforeResponse) { use in
            let receipt = try await connection.use { try await use($0) }
            await end.wait()
            // It still uses what it has.
            #expect(try await connection.get() == "connection")
            journal.note("committed")
            return receipt
        }
        let limits = RequestLimits(beforeResponse: .milliseconds(20), afterResponse: .milliseconds(60))
        let scope = StoreScope(limits: limits, report: { _ in })
        if children > 0 {
            // The same in a child that is closed by its parent.
            let leave = Signal()
            let ready = Signal()
            let child = Task {
                await scope.run {
                    try? await withRequestStore(.child(owning: transaction)) { _ in
                        _ = try await transaction.get()
                        ready.fire()
                        await leave.wait()
                    }
                }
            }
            await ready.wait()
            await scope.close()
            #expect(journal.entries == ["acquire connection"])
            leave.fire()
            end.fire()
            _ = await child.value
        } else {
            _ = try await transaction.get(in: scope.store)
            #expect(await scope.settle(status: .http(200)).replacement == .http(503))
            await scope.close()
            #expect(journal.entries == ["acquire connection"])
            end.fire()
        }
        await until { scope.store.isClosed }
        #expect(journal.entries.map { $0.prefix(18) } == ["acquire connection", "committed", "release connection"])
    }
}
