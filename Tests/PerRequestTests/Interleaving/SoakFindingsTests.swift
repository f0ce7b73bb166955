import Testing

@testable import PerRequest

/// What the soak has found, each as short as it can be told.
@Suite("What the soak has found (rules 4, 11 to 14)")
struct SoakFindingsTests {
    /// A lifecycle, and what it wanted done.
    private struct Machine {
        /// The resources that are released before the response, and those that are functions.
        var before: Set<Int> = []
        var functions: Set<Int> = []
        var lifecycle = Lifecycle()
        var actions: [Lifecycle.Action] = []

        init(before: Set<Int> = [], functions: Set<Int> = []) {
            self.before = before
            self.functions = functions
        }

        mutating func send(_ event: Lifecycle.Event) { actions = lifecycle.handle(event) }

        mutating func ask(
            _ resource: Int,
            in scope: Int = Lifecycle.rootScope,
            as kind: Lifecycle.Call.Kind = .read,
            inside: Lifecycle.Activity? = nil
        ) -> Lifecycle.Admission {
            lifecycle.acquire(
                ResourceRequest(
                    scope: scope,
                    resource: resource,
                    form: functions.contains(resource) ? .around : .resource,
                    point: before.contains(resource) ? .beforeResponse : .afterResponse,
                    kind: kind,
                    inside: inside
                )
            )
        }

        /// Starts a flight.
        mutating func start(_ resource: Int, in scope: Int = Lifecycle.rootScope) throws -> Int {
            guard case .start(let entry, _) = ask(resource, in: scope) else { throw TestError("no flight") }
            return entry
        }

        /// Starts a flight, and lets it arrive.
        mutating func hold(_ resource: Int, in scope: Int = Lifecycle.rootScope) throws -> Int {
            let entry = try start(resource, in: scope)
            send(.arrived(entry))
            return entry
        }

        /// Begins a body with what is held.
        mutating func use(_ resource: Int, as kind: Lifecycle.Call.Kind = .use) throws -> Int {
            guard case .ready(_, let call?) = ask(resource, as: kind) else { throw TestError("no body") }
            return call
        }

        /// Waits for a flight or a turn.
        @discardableResult
        mutating func wait(
            for resource: Int,
            as kind: Lifecycle.Call.Kind = .read,
            inside: Lifecycle.Activity
        ) throws -> Int {
            guard case .wait(_, let call) = ask(resource, as: kind, inside: inside) else { throw TestError("refused") }
            return call
        }

        mutating func openChild(inside activity: Lifecycle.Activity? = nil) throws -> Int {
            let child = lifecycle.openChild(of: Lifecycle.rootScope, inside: activity)
            return try #require(child)
        }

        mutating func release(_ resource: Int, inside: Lifecycle.Activity? = nil) -> Lifecycle.EarlyAdmission {
            actions = []
            return lifecycle.releaseEarly(EarlyRelease(resource: resource, verdict: .commit, inside: inside), &actions)
        }

        /// The entries whose release has begun with the last event.
        var released: [Int] { actions.compactMap { if case .release(let entry, _) = $0 { entry } else { nil } } }
    }

    // MARK: Waiting for users

    @Test("A release that waits for what a child has built on the value begins when that has ended")
    func childEnds() throws {
        var machine = Machine(before: [1])
        let base = try machine.hold(1)
        let child = try machine.openChild()
        let built = try machine.start(2, in: child)
        #expect(machine.ask(1, inside: .entry(built)) == .ready(base, call: nil))
        machine.send(.arrived(built))
        machine.send(.settle(Lifecycle.rootScope, success: true))
        #expect(machine.actions.contains(.awaitUses(base)))
        machine.send(.close(child, success: true, completed: true))
        machine.send(.released(built, failed: false))
        #expect(machine.released == [base])
    }

    @Test("A release that waits for a body does not hold up the early release that the body waits for")
    func earlyReleases() throws {
        var machine = Machine()
        let used = try machine.hold(1)
        let other = try machine.hold(2)
        let body = try machine.use(1)
        _ = machine.release(1)
        #expect(machine.actions.contains(.awaitUses(used)))
        guard case .wait = machine.release(2, inside: .body(body)) else { throw TestError("refused") }
        #expect(machine.released == [other])
        machine.send(.callEnded(body))
        #expect(machine.released.isEmpty, "one release at a time")
        machine.send(.released(other, failed: false))
        #expect(machine.released == [used])
    }

    @Test("Nor does one whose point has begun")
    func earlyReleaseWhileSettling() throws {
        var machine = Machine(before: [1, 3])
        let other = try machine.hold(2)
        let dependent = try machine.start(3)
        #expect(machine.ask(2, inside: .entry(dependent)) == .ready(other, call: nil))
        machine.send(.arrived(dependent))
        let used = try machine.hold(1)
        let body = try machine.use(1)
        machine.send(.settle(Lifecycle.rootScope, success: true))
        #expect(machine.actions.contains(.awaitUses(used)))
        guard case .wait = machine.release(2, inside: .body(body)) else { throw TestError("refused") }
        #expect(machine.released == [dependent])
        machine.send(.released(dependent, failed: false))
        #expect(machine.released == [other])
    }

    @Test("Nor where a function whose point has begun ends by itself before that, and others wait for their turn")
    func earlyReleaseAfterLoss() throws {
        var machine = Machine(before: [1, 3, 4], functions: [1])
        let lost = try machine.hold(1)
        let other = try machine.hold(2)
        let third = try machine.hold(3)
        let used = try machine.hold(4)
        let body = try machine.use(4)
        machine.send(.settle(Lifecycle.rootScope, success: true))
        #expect(machine.actions.contains(.awaitUses(used)))
        machine.send(.lost(lost))
        guard case .wait = machine.release(2, inside: .body(body)) else { throw TestError("refused") }
        #expect(machine.released == [other])
        machine.send(.released(other, failed: false))
        machine.send(.callEnded(body))
        #expect(machine.released == [used])
        machine.send(.released(used, failed: false))
        #expect(machine.released == [third])
    }

    @Test("A use that has ended does not overrun while another release runs")
    func endedUse() throws {
        var machine = Machine()
        let used = try machine.hold(1)
        let other = try machine.hold(2)
        let body = try machine.use(1)
        _ = machine.release(1)
        _ = machine.release(2)
        machine.send(.callEnded(body))
        machine.send(.deadline(used, .awaitingUses))
        #expect(machine.actions.isEmpty)
        machine.send(.released(other, failed: false))
        #expect(machine.released == [used])
    }

    // MARK: What is built on itself

    @Test("A function that runs cannot wait for what is built on its value, in either order")
    func cyclesThroughWaits() throws {
        var machine = Machine(functions: [1])
        let around = try machine.hold(1)
        let flight = try machine.start(2)
        #expect(machine.ask(1, inside: .entry(flight)) == .ready(around, call: nil))
        #expect(machine.ask(2, inside: .entry(around)) == .refuse(.cycle([around, flight, around])))
        let later = try machine.start(3)
        try machine.wait(for: 3, inside: .entry(around))
        #expect(machine.ask(1, inside: .entry(later)) == .refuse(.cycle([later, around, later])))
    }

    @Test("Nor can it wait for its turn at that")
    func cyclesThroughTurns() throws {
        var machine = Machine(functions: [1, 2])
        let around = try machine.hold(1)
        let other = try machine.hold(2)
        let body = try machine.use(1, as: .exclusive)
        try machine.wait(for: 1, as: .exclusive, inside: .entry(other))
        #expect(machine.ask(2, inside: .entry(around)) == .refuse(.cycle([around, other, around])))
        machine.send(.callEnded(body))
    }

    @Test("What a child holds that was opened inside of a function ends after what is released later than that")
    func captiveInChild() throws {
        var machine = Machine(before: [1], functions: [2])
        _ = try machine.hold(1)
        let around = try machine.start(2)
        let child = try machine.openChild(inside: .entry(around))
        machine.send(.arrived(around))
        let flight = try machine.start(3, in: child)
        let admission = machine.ask(1, inside: .entry(flight))
        #expect(admission == .refuse(.captive(by: flight)))
    }

    @Test("A function uses what its child has built on, and is released before that")
    func functionOfChild() throws {
        var machine = Machine(before: [1, 2], functions: [1])
        let around = try machine.start(1)
        let child = try machine.openChild(inside: .entry(around))
        machine.send(.arrived(around))
        let base = try machine.hold(2)
        let built = try machine.start(3, in: child)
        #expect(machine.ask(2, inside: .entry(built)) == .ready(base, call: nil))
        machine.send(.arrived(built))
        machine.send(.settle(Lifecycle.rootScope, success: true))
        #expect(machine.released == [around])
        machine.send(.close(child, success: true, completed: true))
        machine.send(.released(built, failed: false))
        machine.send(.released(around, failed: false))
        #expect(machine.released == [base])
    }

    // MARK: Turns

    @Test("What a factory waits for its turn at is not released early")
    func turnOfFactory() throws {
        var machine = Machine()
        let base = try machine.hold(1)
        let body = try machine.use(1, as: .exclusive)
        let flight = try machine.start(2)
        try machine.wait(for: 1, as: .exclusive, inside: .entry(flight))
        #expect(machine.release(1) == .refuse(.inUse(by: flight)))
        machine.send(.callEnded(body))
        #expect(machine.lifecycle.isReadable(base))
    }

    @Test("What waits for its turn in code of what is made already does not outlast the release")
    func turnOfFunction() throws {
        var machine = Machine(functions: [1])
        let around = try machine.hold(1)
        let base = try machine.hold(2)
        let body = try machine.use(2, as: .exclusive)
        let next = try machine.wait(for: 2, as: .exclusive, inside: .entry(around))
        _ = machine.release(2)
        machine.send(.callEnded(body))
        machine.send(.callEnded(next))
        #expect(machine.released == [base])
    }

    // MARK: Telling

    @Test("The observer is told of a release before the store is closed")
    func observer() async throws {
        let observer = ReleaseObserver()
        let key = RequestResource("key", acquire: { 1 }, release: { _, _ in await Task.yield() })
        try await withRequestStore(observers: [observer]) { _ in _ = try await key.get() }
        #expect(observer.wereOpen.entries == ["open"])
    }
}

/// Notes whether stores are open when it is told of a release.
private final class ReleaseObserver: RequestObserver {
    let wereOpen = Journal()

    func observe(_ event: RequestEvent) {
        if case .released = event.kind { wereOpen.note(event.store.isClosed ? "closed" : "open") }
    }
}
