import Synchronization
import Testing

@testable import PerRequest

/// Every sequence of events that a lifecycle can see, within bounds, with the rules checked after each.
@Suite("The lifecycle, exhaustively (rules 1, 4, 9 to 17)", .enabled(if: !isThreadSanitized, "it runs in one thread"))
struct LifecycleEnumerationTests {
    /// A resource of a scenario.
    struct Resource: Sendable {
        var form = Lifecycle.Form.resource
        var point = ReleasePoint.afterResponse
        /// The resources that its factory may acquire.
        var needs: [Int] = []
        var callers = 1
        var pins = false
        var canBeReleasedEarly = false
        var flights = 1
    }

    struct Scenario: Sendable, CustomTestStringConvertible {
        let name: String
        var resources: [Resource]
        var children = 0
        var deadlines: Set<Lifecycle.Stage> = []
        var hasBudgets = false

        var testDescription: String { name }
    }

    static let scenarios = [
        Scenario(
            name: "a transaction on a connection, two callers",
            resources: [
                Resource(), Resource(form: .around, point: .beforeResponse, needs: [0], callers: 2),
            ],
            deadlines: [.acquiring, .cancelling, .releasing]
        ),
        Scenario(
            name: "three resources in a chain",
            resources: [
                Resource(), Resource(needs: [0]), Resource(form: .around, point: .beforeResponse, needs: [1, 0]),
            ],
            deadlines: [.releasing]
        ),
        Scenario(
            name: "three resources that may need each other",
            resources: [Resource(needs: [1]), Resource(needs: [2]), Resource(needs: [0])]
        ),
        Scenario(
            name: "a resource that outlives what it needs, and a memo",
            resources: [
                Resource(point: .beforeResponse), Resource(needs: [0]),
                Resource(form: .memo, point: .beforeResponse, needs: [0], callers: 2),
            ],
            deadlines: [.cancelling]
        ),
        Scenario(
            name: "early release with dependents and bodies of use",
            resources: [
                Resource(callers: 2, pins: true, canBeReleasedEarly: true, flights: 2),
                Resource(form: .around, needs: [0], canBeReleasedEarly: true),
            ],
            deadlines: [.awaitingUses, .releasing]
        ),
        Scenario(
            name: "children, budgets, a resource and a transaction",
            resources: [Resource(), Resource(form: .around, point: .beforeResponse)],
            children: 2,
            deadlines: [.cancelling, .releasing],
            hasBudgets: true
        ),
    ]

    private struct Node: Hashable {
        var lifecycle = Lifecycle()
        var model = LifecycleModel()
        var openedChildren = 0
    }

    private enum Step: Hashable {
        case event(Lifecycle.Event)
        case acquire(ResourceRequest, waiter: Int)
        case openChild(Int)
    }

    /// A debug build takes the smallest one: `Scripts/test exhaustive` builds for release and takes them all.
    private static var scenariosToRun: ArraySlice<Scenario> {
        #if DEBUG
        scenarios.suffix(1)
        #else
        scenarios[...]
        #endif
    }

    /// One broken rule is enough: the other scenarios stop.
    private static let isBroken = Lock(false)

    private struct Enumeration: Sendable {
        var states = 0
        var transitions = 0
        var hasClosed = false
        var problem: String?
    }

    @Test(arguments: scenariosToRun)
    func enumerate(_ scenario: Scenario) async {
        let enumeration = await onOwnThread { explore(scenario) }
        if let problem = enumeration.problem {
            Issue.record("\(problem)")
        } else if !Self.isBroken.withLock({ $0 }) {
            print("Enumerated \(scenario.name): \(enumeration.states) states, \(enumeration.transitions) transitions")
            #expect(enumeration.hasClosed)
            #expect(enumeration.states > 10_000)
        }
    }

    private func explore(_ scenario: Scenario) -> Enumeration {
        // States are told apart by a fingerprint of 128 bits, and found again by the steps that led to them.
        var seen: Set<Fingerprint> = [Fingerprint(Node())]
        var origins: [(origin: Int, step: Step)] = []
        var level = [(index: -1, node: Node())]
        var result = Enumeration()
        while !level.isEmpty {
            var next: [(index: Int, node: Node)] = []
            for (index, node) in level {
                if Self.isBroken.withLock({ $0 }) { return result }
                for step in steps(from: node, in: scenario) {
                    result.transitions += 1
                    let reached = take(step, from: node)
                    guard reached.model.violations.isEmpty else {
                        Self.isBroken.withLock { $0 = true }
                        let trace = (trace(to: index, origins) + [step]).map { "  \($0)" }.joined(separator: "\n")
                        let rules = Set(reached.model.violations).sorted()
                        result.problem = "broke \(rules) after\n\(trace)\n\(reached.lifecycle)"
                        return result
                    }
                    guard seen.insert(Fingerprint(reached)).inserted else { continue }
                    result.hasClosed = result.hasClosed || reached.model.isClosed
                    next.append((origins.count, reached))
                    origins.append((index, step))
                }
            }
            level = next
        }
        result.states = seen.count
        return result
    }

    private struct Fingerprint: Hashable {
        let first: Int
        let second: Int

        init(_ node: Node) {
            var hasher = Hasher()
            hasher.combine(node)
            first = hasher.finalize()
            hasher = Hasher()
            hasher.combine(first)
            hasher.combine(node)
            second = hasher.finalize()
        }
    }

    private func trace(to index: Int, _ origins: [(origin: Int, step: Step)]) -> [Step] {
        var steps: [Step] = []
        var index = index
        while index >= 0 {
            steps.append(origins[index].step)
            index = origins[index].origin
        }
        return steps.reversed()
    }

    // MARK: - Steps

    private func steps(from node: Node, in scenario: Scenario) -> [Step] {
        let model = node.model
        var steps: [Step] = []
        for (number, resource) in scenario.resources.enumerated() {
            steps += asks(for: number, resource, node, scenario)
            if resource.canBeReleasedEarly, model.earlyWaiters.isEmpty, !model.closeSent {
                for verdict in [RequestOutcome.Verdict.commit, .rollback] {
                    steps.append(.event(.releaseEarly(resource: number, verdict, waiter: 1_000)))
                }
            }
        }
        for (id, entry) in model.entries.sorted(by: { $0.key < $1.key }) {
            steps += events(of: id, entry, scenario).map(Step.event)
        }
        for child in model.children { steps.append(.event(.childClosed(child))) }
        if node.openedChildren < scenario.children { steps.append(.openChild(node.openedChildren)) }
        if scenario.hasBudgets {
            if model.settleSent, !model.proceededBefore { steps.append(.event(.budgetSpent(.beforeResponse))) }
            if model.closeSent, !model.proceededAfter { steps.append(.event(.budgetSpent(.afterResponse))) }
        }
        if !model.beforeBegan {
            steps += [.event(.settle(success: true))]
        }
        // A repeat does nothing.
        steps += [
            .event(.fail), .event(.settle(success: false)), .event(.close(success: true)),
            .event(.close(success: false)),
        ]
        return steps
    }

    private func asks(for number: Int, _ resource: Resource, _ node: Node, _ scenario: Scenario) -> [Step] {
        let asked = node.model.asked[number, default: 0]
        var steps: [Step] = []
        let canStart = node.model.started[number, default: 0] < resource.flights
        func ask(dependent: Int?, waiter: Int, cancelled: Bool = false) {
            let request = ResourceRequest(
                resource: number,
                form: resource.form,
                point: resource.point,
                isCancelled: cancelled,
                dependent: dependent,
                pins: waiter.isPinned
            )
            steps.append(.acquire(request, waiter: waiter))
        }
        guard asked < resource.callers + 1,
            canStart || node.model.entries.values.contains(where: { $0.resource == number })
        else { return [] }
        if asked < resource.callers {
            ask(dependent: nil, waiter: number * 100 + asked * 2)
            if resource.pins { ask(dependent: nil, waiter: number * 100 + asked * 2 + 1) }
            if asked == 0 { ask(dependent: nil, waiter: number * 100 + 50, cancelled: true) }
        }
        for (id, entry) in node.model.entries where entry.isFlying {
            guard scenario.resources[entry.resource].needs.contains(number) else { continue }
            let waiter = number * 100 + 60 + id * 2
            if !node.model.dependentWaiters.contains(waiter) { ask(dependent: id, waiter: waiter) }
        }
        return steps
    }

    private func events(of id: Int, _ entry: LifecycleModel.Entry, _ scenario: Scenario) -> [Lifecycle.Event] {
        var events: [Lifecycle.Event] = []
        if entry.isFlying {
            events += [.arrived(id), .flightFailed(id)]
            if !entry.isCancelled { events.append(.deadline(id, .acquiring)) }
            if entry.isCancelled, !entry.isOverdue { events.append(.deadline(id, .cancelling)) }
            events += entry.waiters.map { .waiterCancelled($0, entry: id) }
        }
        if entry.uses > 0 { events.append(.useEnded(id)) }
        if entry.awaitsUses, !entry.isOverdue { events.append(.deadline(id, .awaitingUses)) }
        if entry.isReleasing {
            events += [.released(id, failed: false), .released(id, failed: true)]
            if !entry.isOverdue { events.append(.deadline(id, .releasing)) }
        } else if entry.form == .around, entry.order != nil, entry.isAlive {
            events.append(.lost(id))
        }
        return events.filter { event in
            guard case .deadline(_, let stage) = event else { return true }
            return scenario.deadlines.contains(stage)
        }
    }

    // MARK: - Taking a step

    private func take(_ step: Step, from node: Node) -> Node {
        var next = node
        switch step {
        case .openChild(let child):
            next.openedChildren += 1
            let isOpen = next.lifecycle.openChild(child)
            if isOpen { next.model.children.append(child) }
            if isOpen == next.model.afterBegan { next.model.violations.append("4: a child of a closing parent") }
        case .acquire(let request, let waiter):
            admit(request, waiter, &next)
        case .event(let event):
            if case .releaseEarly(let resource, let verdict, let waiter) = event {
                noteEarly(resource, verdict, waiter, &next)
            }
            next.model.note(event)
            let actions = next.lifecycle.handle(event)
            for action in actions { next.model.note(action) }
            if let problem = shortcut(event, from: node.lifecycle, to: next.lifecycle, actions) {
                next.model.violations.append(problem)
            }
        }
        next.model.check(next.lifecycle)
        return next
    }

    /// Settling and closing in one step comes to the same as the event, wherever it can be done.
    private func shortcut(
        _ event: Lifecycle.Event,
        from start: Lifecycle,
        to end: Lifecycle,
        _ actions: [Lifecycle.Action]
    ) -> String? {
        var short = start
        switch event {
        case .settle(let success):
            guard short.settleIfEmpty(success: success) else { break }
            guard short == end, actions == [.proceed(.beforeResponse)] else {
                return "1: settled otherwise in one step"
            }
        case .close:
            guard short.closeIfEmpty() else { break }
            guard short == end, actions == [.proceed(.afterResponse), .closed] else {
                return "1: closed otherwise in one step"
            }
        default: break
        }
        return nil
    }

    private func admit(_ request: ResourceRequest, _ waiter: Int, _ next: inout Node) {
        if request.dependent != nil { next.model.dependentWaiters.insert(waiter) }
        next.model.asked[request.resource, default: 0] += request.dependent == nil && !request.isCancelled ? 1 : 0
        let admission = next.lifecycle.acquire(request, waiter: waiter)
        let answer = next.model.checkAdmission(admission, request)
        switch admission {
        case .start(let id):
            next.model.started[request.resource, default: 0] += 1
            next.model.entries[id] = .init(resource: request.resource, point: request.point, form: request.form)
            next.model.entries[id]?.waiters = [waiter]
        case .join(let id): next.model.entries[id]?.waiters.insert(waiter)
        case .ready(let id): if request.pins { next.model.entries[id]?.uses += 1 }
        case .refuse: break
        }
        if let id = answer, let dependent = request.dependent { next.model.entries[dependent]?.dependencies.insert(id) }
        next.model.checkNoCycle()
    }

    private func noteEarly(_ resource: Int, _ verdict: RequestOutcome.Verdict, _ waiter: Int, _ next: inout Node) {
        next.model.earlyWaiters[waiter] = -1
        guard let id = next.lifecycle.heldEntry(of: resource), !next.model.hasBegun(next.model.entries[id]!.point)
        else { return }
        next.model.markEarly(id, verdict, waiter)
    }
}

extension LifecycleModel {
    /// Checks an answer, and returns the entry that the caller gets or waits for.
    mutating func checkAdmission(_ admission: Lifecycle.Admission, _ request: ResourceRequest) -> Int? {
        func require(_ holds: Bool, _ rule: String) { if !holds { violations.append(rule) } }
        let isCaptive =
            request.dependent.flatMap { entries[$0] }.map {
                $0.point == .afterResponse && request.point == .beforeResponse
            }
            ?? false
        if case .refuse(.captive) = admission { require(isCaptive, "11: refused as captive") }
        switch admission {
        case .start(let id):
            require(!hasBegun(request.point), "12: acquired after its point began")
            require(!request.isCancelled, "9: a cancelled caller started a flight")
            require(
                !entries.values.contains { $0.resource == request.resource && $0.isFlying },
                "9: two flights of one resource"
            )
            require(
                !entries.values.contains { $0.resource == request.resource && $0.isHeld },
                "9: acquired what is held"
            )
            require(!isCaptive, "11: a captive dependency")
            return id
        case .join(let id):
            require(
                entries[id]?.isFlying == true && entries[id]?.isCancelled == false,
                "9: joined a flight that is over"
            )
            require(!request.isCancelled, "9: a cancelled caller waits")
            require(!isCaptive, "11: a captive dependency")
            return id
        case .ready(let id):
            require(entries[id]?.isHeld == true, "12: read what is not held")
            require(!isCaptive, "11: a captive dependency")
            return id
        case .refuse(.cycle(let path)):
            for (from, to) in zip(path, path.dropFirst()) where from != path.first {
                require(entries[from]?.dependencies.contains(to) == true, "11: a cycle that is none")
            }
            require(path.first == path.last, "11: a cycle that does not close")
            return nil
        case .refuse: return nil
        }
    }

    mutating func checkNoCycle() {
        for start in entries.keys where reaches(start, from: start, visited: []) {
            violations.append("11: a cycle")
        }
    }

    private func reaches(_ goal: Int, from id: Int, visited: Set<Int>) -> Bool {
        guard !visited.contains(id) else { return false }
        return (entries[id]?.dependencies ?? []).contains {
            $0 == goal || reaches(goal, from: $0, visited: visited.union([id]))
        }
    }

    mutating func markEarly(_ id: Int, _ verdict: RequestOutcome.Verdict, _ waiter: Int) {
        var due: Set<Int> = []
        func collect(_ id: Int) {
            guard due.insert(id).inserted else { return }
            for (other, entry) in entries where entry.isAlive && entry.dependencies.contains(id) { collect(other) }
        }
        collect(id)
        guard !due.contains(where: { entries[$0]?.isFlying == true }) else { return }
        for other in due where entries[other]?.isHeld == true && entries[other]?.early == nil {
            entries[other]?.early = verdict
        }
        earlyWaiters[waiter] = id
    }
}
