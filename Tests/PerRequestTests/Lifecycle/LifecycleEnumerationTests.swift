import Foundation
import Synchronization
import Testing

@testable import PerRequest

/// Every sequence of events that a request and its child stores can see, within bounds, with the rules checked after each.
///
/// Each scenario bounds what there is: resources, callers, children, early releases. One that has more states than
/// ``bound`` is enumerated up to there, the shortest sequences first, and says so.
@Suite("The lifecycle, exhaustively (rules 1, 4, 9 to 17)", .enabled(if: !isThreadSanitized, "it runs in one thread"))
struct LifecycleEnumerationTests {
    private struct Node: Hashable {
        var lifecycle = Lifecycle()
        var model = LifecycleModel()
        /// The numbers of the scopes of the children that were opened.
        var opened: [Int: Int] = [:]
    }

    private enum Step: Hashable {
        case event(Lifecycle.Event)
        case acquire(ResourceRequest)
        case releaseEarly(EarlyRelease)
        case open(Int, inside: Lifecycle.Activity?)
        /// The opener settles or closes inside of an activity.
        case end(Lifecycle.Event, inside: Lifecycle.Activity)
    }

    /// A debug build takes a little of each: `Scripts/test exhaustive` builds for release and takes more;
    /// `PERREQUEST_STATES` says how much.
    private static let bound: Int = {
        let chosen = ProcessInfo.processInfo.environment["PERREQUEST_STATES"].flatMap(Int.init)
        #if DEBUG
        return chosen ?? 1_500
        #else
        return chosen ?? 400_000
        #endif
    }()

    /// One broken rule is enough: the other scenarios stop.
    private static let isBroken = Lock(false)

    private struct Enumeration: Sendable {
        var states = 0
        var transitions = 0
        var isWhole = true
        var hasClosed = false
        var problem: String?
    }

    @Test(arguments: LifecycleScenario.all)
    func enumerate(_ scenario: LifecycleScenario) async {
        let enumeration = await onOwnThread { explore(scenario) }
        if let problem = enumeration.problem {
            Issue.record("\(problem)")
        } else if !Self.isBroken.withLock({ $0 }) {
            let bound = enumeration.isWhole ? "all" : "the first"
            print(
                "Enumerated \(scenario.name): \(bound) \(enumeration.states) states, \(enumeration.transitions) transitions"
            )
            #expect(enumeration.hasClosed || !enumeration.isWhole)
            #expect(enumeration.states > 1_000)
        }
    }

    private func explore(_ scenario: LifecycleScenario) -> Enumeration {
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
                    let reached = take(step, from: node, in: scenario)
                    guard reached.model.violations.isEmpty else {
                        Self.isBroken.withLock { $0 = true }
                        let trace = (trace(to: index, origins) + [step]).map { "  \($0)" }.joined(separator: "\n")
                        let rules = Set(reached.model.violations).sorted()
                        result.problem = "\(scenario.name)\nbroke \(rules) after\n\(trace)\n\(reached.lifecycle.dump)"
                        return result
                    }
                    guard seen.count < Self.bound else {
                        result.isWhole = result.isWhole && seen.contains(Fingerprint(reached))
                        continue
                    }
                    guard seen.insert(Fingerprint(reached)).inserted else { continue }
                    result.hasClosed = result.hasClosed || reached.model.scopes[0]?.isClosed == true
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
            hasher.combine(node.model)
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
}

// MARK: - Steps

extension LifecycleEnumerationTests {
    private func steps(from node: Node, in scenario: LifecycleScenario) -> [Step] {
        var steps: [Step] = []
        for number in scenario.resources.indices {
            guard let scope = scope(of: scenario.resources[number].owner, node) else { continue }
            steps += asks(for: number, scope, node, scenario)
            steps += earlyReleases(of: number, scope, node, scenario)
        }
        for (id, entry) in node.model.entries.sorted(by: { $0.key < $1.key }) {
            steps += events(of: id, entry, scenario).map(Step.event)
        }
        for (id, call) in node.model.calls.sorted(by: { $0.key < $1.key }) {
            if call.isRunning { steps.append(.event(.callEnded(id))) }
            if !call.isRunning, call.kind != .release, call.kind != .phase { steps.append(.event(.callCancelled(id))) }
        }
        for (number, child) in scenario.children.enumerated() where node.opened[number] == nil {
            steps += openings(of: number, child, node)
        }
        for scope in node.model.scopes.values.sorted(by: { $0.id < $1.id }) {
            guard scope.isClosed else {
                let events = ends(of: scope, scenario)
                steps += events.map(Step.event)
                for activity in openers(of: scope, node, scenario) {
                    steps += events.filter(\.isOpeners).map { .end($0, inside: activity) }
                }
                continue
            }
            if scope.isObserved, !scope.isTold { steps.append(.event(.told(scope.id))) }
        }
        return steps
    }

    private func scope(of owner: Int?, _ node: Node) -> Int? { owner.map { node.opened[$0] } ?? 0 }

    private func asks(for number: Int, _ scope: Int, _ node: Node, _ scenario: LifecycleScenario) -> [Step] {
        let resource = scenario.resources[number]
        let present = node.model.entries.contains { $0.value.resource == number }
        guard node.model.started[number, default: 0] < resource.flights || present else { return [] }
        var steps: [Step] = []
        func ask(
            _ kind: Lifecycle.Call.Kind,
            inside: Lifecycle.Activity?,
            from caller: Int? = nil,
            isCancelled: Bool = false
        ) {
            let memo = node.model.entries.first { $0.value.resource == number && $0.value.form == .memo }
            let request = ResourceRequest(
                scope: scope,
                resource: number,
                form: resource.form,
                point: resource.point,
                kind: kind,
                isCancelled: isCancelled,
                inside: inside,
                caller: caller ?? node.model.scope(of: inside) ?? 0,
                entry: memo?.key
            )
            steps.append(.acquire(request))
        }
        if node.model.asked[number, default: 0] < resource.callers {
            for from in resource.callersFrom {
                guard let caller = self.scope(of: from, node), node.model.scopes[caller]?.isClosed == false else {
                    continue
                }
                for kind in resource.kinds { ask(kind, inside: nil, from: caller) }
            }
            if node.model.asked[number, default: 0] == 0 { ask(resource.kinds[0], inside: nil, isCancelled: true) }
        }
        for (id, entry) in node.model.entries where entry.isRunning {
            guard scenario.resources[entry.resource].needs.contains(number),
                node.model.asked[askKey(number, .entry(id)), default: 0] == 0
            else { continue }
            ask(scenario.resources[entry.resource].asks, inside: .entry(id))
        }
        for (id, call) in node.model.calls where call.isRunning {
            guard let entry = node.model.entries[call.entry],
                scenario.resources[entry.resource].bodyNeeds.contains(number),
                node.model.asked[askKey(number, .body(id)), default: 0] == 0
            else { continue }
            ask(resource.kinds[0], inside: .body(id))
        }
        return steps
    }

    private func askKey(_ number: Int, _ activity: Lifecycle.Activity?) -> Int {
        switch activity {
        case nil: number
        case .entry(let id): 1_000 + (id % 1_000) * 100 + (id >> 24) * 10_000_000 + number
        case .body(let id): 100_000 + (id % 1_000) * 1_000 + (id >> 24) * 10_000_000 + number
        }
    }

    private func earlyReleases(
        of number: Int,
        _ scope: Int,
        _ node: Node,
        _ scenario: LifecycleScenario
    ) -> [Step] {
        guard node.model.asked[-1 - number, default: 0] < scenario.resources[number].early,
            node.model.entries.contains(where: { $0.value.resource == number })
        else { return [] }
        var steps: [Step] = []
        for verdict in [RequestOutcome.Verdict.commit, .rollback] {
            steps.append(.releaseEarly(EarlyRelease(scope: scope, resource: number, verdict: verdict)))
        }
        for (id, call) in node.model.calls where call.isRunning && node.model.entries[call.entry]?.resource == number {
            let request = EarlyRelease(scope: scope, resource: number, verdict: .commit, inside: .body(id))
            steps.append(.releaseEarly(request))
        }
        return steps
    }

    private func openings(of number: Int, _ child: LifecycleScenario.Child, _ node: Node) -> [Step] {
        guard scope(of: child.parent, node) != nil else { return [] }
        guard let inside = child.inside else { return [.open(number, inside: nil)] }
        return node.model.entries.filter { $0.value.resource == inside && $0.value.isRunning }.keys.sorted().map {
            .open(number, inside: .entry($0))
        }
    }

    /// The activities inside of which the opener of a scope can be.
    private func openers(
        of scope: LifecycleModel.Scope,
        _ node: Node,
        _ scenario: LifecycleScenario
    ) -> [Lifecycle.Activity] {
        guard let number = node.opened.first(where: { $0.value == scope.id })?.key,
            let resource = scenario.children[number].isClosedInside
        else { return [] }
        let running = node.model.entries.filter { $0.value.resource == resource && $0.value.isRunning }
        let bodies = node.model.calls.filter {
            $0.value.isRunning && node.model.entries[$0.value.entry]?.resource == resource
        }
        return running.keys.sorted().map { .entry($0) } + bodies.keys.sorted().map { .body($0) }
    }

    private func events(
        of id: Int,
        _ entry: LifecycleModel.Entry,
        _ scenario: LifecycleScenario
    ) -> [Lifecycle.Event] {
        var events: [Lifecycle.Event] = []
        if entry.isFlying {
            events += [.arrived(id), .flightFailed(id)]
            if !entry.isCancelled { events.append(.deadline(id, .acquiring)) }
            if entry.isCancelled, !entry.isOverdue { events.append(.deadline(id, .cancelling)) }
        }
        if entry.awaitsUses, !entry.isOverdue { events.append(.deadline(id, .awaitingUses)) }
        if entry.isKept { events.append(.forgetMemo(id)) }
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

    private func ends(of scope: LifecycleModel.Scope, _ scenario: LifecycleScenario) -> [Lifecycle.Event] {
        let id = scope.id
        var events: [Lifecycle.Event] = [.settle(id, success: true), .close(id, success: true, completed: true)]
        if scenario.fails {
            // A repeat does nothing.
            events += [.fail(id), .settle(id, success: false), .close(id, success: false, completed: false)]
        }
        if id == 0 { events.append(.close(id, success: true, completed: false)) }
        guard scenario.hasBudgets else { return events }
        if scope.settleSent, !scope.proceededBefore { events.append(.budgetSpent(id, .beforeResponse)) }
        if scope.closeSent, !scope.proceededAfter { events.append(.budgetSpent(id, .afterResponse)) }
        return events
    }
}

// MARK: - Taking a step

extension LifecycleEnumerationTests {
    private func take(_ step: Step, from node: Node, in scenario: LifecycleScenario) -> Node {
        var next = node
        switch step {
        case .open(let number, let inside): open(number, inside, &next, scenario)
        case .acquire(let request): admit(request, &next)
        case .releaseEarly(let request): releaseEarly(request, &next)
        case .end(let event, let inside): end(event, inside, &next)
        case .event(let event):
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

    private func open(
        _ number: Int,
        _ inside: Lifecycle.Activity?,
        _ next: inout Node,
        _ scenario: LifecycleScenario
    ) {
        let parent = scope(of: scenario.children[number].parent, next) ?? 0
        let isObserved = scenario.children[number].isObserved
        let id = next.lifecycle.openChild(of: parent, inside: inside, isObserved: isObserved)
        let isClosing = next.model.scopes[parent]?.afterBegan ?? true
        if (id == nil) != isClosing { next.model.violations.append("4: a child of a closing parent") }
        next.opened[number] = id ?? -1
        guard let id else { return }
        var scope = LifecycleModel.Scope(id: id, parent: parent, isObserved: isObserved)
        scope.bound = next.model.entry(around: inside)
        next.model.scopes[id] = scope
    }

    /// What a store does for an opener that settles or closes, and then waits.
    private func end(_ event: Lifecycle.Event, _ inside: Lifecycle.Activity, _ next: inout Node) {
        guard let (scope, phase) = event.end else { return }
        let hadPassed = next.lifecycle.hasPassed(phase, scope: scope)
        next.model.note(event)
        for action in next.lifecycle.handle(event) { next.model.note(action) }
        guard !hadPassed, !next.lifecycle.hasPassed(phase, scope: scope) else { return }
        next.model.waitForPhase(of: scope, inside)
        var actions: [Lifecycle.Action] = []
        next.lifecycle.waitForPhase(scope, inside: inside, &actions)
        for action in actions { next.model.note(action) }
    }

    /// A step that makes no list of what follows comes to the same as the event, wherever it can be taken.
    private func shortcut(
        _ event: Lifecycle.Event,
        from start: Lifecycle,
        to end: Lifecycle,
        _ actions: [Lifecycle.Action]
    ) -> String? {
        var short = start
        short.forgetClosed()
        guard let expected = short.take(event) else { return nil }
        guard short == end, actions == expected else {
            return "1: \("\(event)".prefix { $0 != "(" }) comes to something else in one step"
        }
        return nil
    }

    private func admit(_ request: ResourceRequest, _ next: inout Node) {
        if request.inside == nil {
            next.model.asked[request.resource, default: 0] += request.isCancelled ? 0 : 1
        } else {
            next.model.asked[askKey(request.resource, request.inside), default: 0] += 1
        }
        let admission = next.lifecycle.acquire(request)
        next.model.checkAdmission(admission, request)
        switch admission {
        case .start(let id, let call):
            next.model.started[request.resource, default: 0] += 1
            let scope = next.model.scopes[request.scope]
            next.model.entries[id] = .init(
                resource: request.resource,
                scope: request.scope,
                point: request.point,
                form: request.form,
                beginning: scope?.beforeBegan ?? false
                    ? .afterSettled : next.model.scopes[0]?.beforeBegan ?? false ? .afterRequestSettled : .inTime
            )
            next.model.add(
                call,
                .init(kind: request.kind, entry: id, caller: request.caller ?? 0, inside: request.inside)
            )
        case .wait(let id, let call):
            next.model.add(
                call,
                .init(kind: request.kind, entry: id, caller: request.caller ?? 0, inside: request.inside)
            )
        case .ready(let id, let call):
            next.model.build(request.inside, on: id)
            guard let call else { break }
            next.model.add(
                call,
                .init(
                    kind: request.kind,
                    entry: id,
                    caller: request.caller ?? 0,
                    inside: request.inside,
                    isRunning: true
                )
            )
        case .refuse: break
        }
        guard request.kind == .claim, let claimant = next.model.entry(around: request.inside) else { return }
        switch admission {
        case .start(let id, _), .wait(let id, _), .ready(let id, _): next.model.entries[id]?.claimant = claimant
        case .refuse: break
        }
    }

    private func releaseEarly(_ request: EarlyRelease, _ next: inout Node) {
        next.model.asked[-1 - request.resource, default: 0] += 1
        var actions: [Lifecycle.Action] = []
        let id = next.lifecycle.heldEntry(of: request.resource, scope: request.scope)
        let admission = next.lifecycle.releaseEarly(request, &actions)
        if case .wait(let call) = admission {
            let entry =
                id ?? next.model.entries.first { $0.value.resource == request.resource && $0.value.early != nil }?.key
            next.model.markEarly(entry ?? -1, request.verdict)
            next.model.add(call, .init(kind: .release, entry: entry ?? -1, inside: request.inside))
        }
        if request.inside != nil {
            // It is the caller's own body that has it.
            switch admission {
            case .wait: next.model.violations.append("11: a body waits for the release of what it uses")
            case .refuse(.deadlock), .refuse(.cycle):
                next.model.violations.append("11: a body is not told that it uses what it releases")
            case .nothingHeld, .timedOut, .refuse: break
            }
        }
        for action in actions { next.model.note(action) }
    }
}

extension Lifecycle.Event {
    /// Whether it is the opener's, who then waits.
    fileprivate var isOpeners: Bool { end != nil }

    /// The scope that the opener settles or closes, and the phase that it waits for.
    fileprivate var end: (scope: Int, phase: Lifecycle.Phase)? {
        switch self {
        case .settle(let id, _): (id, .settled)
        case .close(let id, _, _): (id, .closing)
        default: nil
        }
    }
}

extension LifecycleModel {
    /// Checks an answer.
    mutating func checkAdmission(_ admission: Lifecycle.Admission, _ request: ResourceRequest) {
        let dependent = entry(around: request.inside).flatMap { entries[$0] }
        let isCaptive =
            dependent.map { dependent in
                dependent.scope == request.scope && dependent.point == .afterResponse
                    && request.point == .beforeResponse
                    && !dependent.isReleasing
            } ?? false
        switch admission {
        case .start:
            check(scopes[request.scope]?.hasBegun(request.point) == false, "12: acquired after its point began")
            check(!request.isCancelled, "9: a cancelled caller started a flight")
            let others = entries.values.filter { $0.resource == request.resource && $0.scope == request.scope }
            check(!others.contains { $0.isFlying }, "9: two flights of one resource")
            check(!others.contains { $0.isHeld }, "9: acquired what is held")
            check(!isCaptive, "11: a captive dependency")
        case .wait(let id, _):
            check(!request.isCancelled, "9: a cancelled caller waits")
            check(!isCaptive, "11: a captive dependency")
            check(entries[id]?.isLost == false && entries[id]?.isCancelled == false, "9: joined a flight that is over")
            check(entries[id]?.isFlying == true || request.kind != .read, "9: waits to read what is there")
            check(waits(for: id, request.kind, endFor: request.inside) == false, "11: a cycle")
            checkClaim(of: id, request)
        case .ready(let id, _):
            checkClaim(of: id, request)
            check(entries[id]?.isReadable == true, "12: read what is not held")
            check(!isCaptive, "11: a captive dependency")
            let isTaken = calls.values.contains { $0.entry == id && $0.kind == .exclusive }
            check(request.kind != .exclusive || !isTaken, "9: two bodies have the turn")
        case .refuse(.claimed(let claimant)):
            check(entries[claimant]?.isAlive == true, "11: claimed by what has ended")
            let claimed = entries.values.first { $0.resource == request.resource && $0.claimant == claimant }
            check(claimed?.scope == request.scope, "11: claimed by what has given up")
        case .refuse: break
        }
    }

    /// While one that lives has claimed an entry, nobody else has it for himself.
    private mutating func checkClaim(of id: Int, _ request: ResourceRequest) {
        guard let claimant = entries[id]?.claimant, entries[claimant]?.isAlive == true else { return }
        switch request.kind {
        case .claim: check(entry(around: request.inside) == claimant, "11: claimed twice")
        case .exclusive: check(false, "11: somebody has for himself what is claimed")
        case .read, .use, .release, .phase: break
        }
    }

    /// Whether what a caller would wait for waits for the caller's own activity.
    private func waits(
        for id: Int,
        _ kind: Lifecycle.Call.Kind,
        endFor activity: Lifecycle.Activity?
    ) -> Bool {
        guard let activity else { return false }
        return waited(by: Call(kind: kind, entry: id)).contains(activity)
    }

    mutating func markEarly(_ id: Int, _ verdict: RequestOutcome.Verdict) {
        check(entries[id] != nil, "14: released nothing early")
        var due: Set<Int> = [id]
        var open = [id]
        while let next = open.popLast() {
            for dependent in dependents(of: next) where due.insert(dependent).inserted { open.append(dependent) }
        }
        check(!due.contains { entries[$0]?.isFlying == true }, "14: released under a factory")
        for other in due where entries[other]?.isHeld == true && entries[other]?.early == nil {
            entries[other]?.early = verdict
        }
    }
}

extension Lifecycle {
    /// Takes the shortcut for an event.
    ///
    /// - Returns: The actions it stands for; `nil` where there is none.
    fileprivate mutating func take(_ event: Event) -> [Action]? {
        switch event {
        case .arrived(let id):
            guard let place = entries.place(of: id), entries[place].queue.first >= 0 else { return nil }
            let call = calls.id(at: entries[place].queue.first)
            return arriveAtOnce(id, startedBy: call) ? [.acquired(id), .resume(call: call, .value(id))] : nil
        case .settle(0, let success):
            return settleAtOnce(success: success) ? [.proceed(0, .beforeResponse)] : nil
        case .close(0, _, let completed):
            if closeIfEmpty(completed: completed) { return [.proceed(0, .afterResponse), .closed(0)] }
            return closeAlone(completed: completed).map { $0.actions(after: []) }
        case .released(let id, _):
            return releasedAlone(id).map { $0.actions(after: [.forget(id)]) }
        default: return nil
        }
    }
}

extension Lifecycle.Closing {
    fileprivate func actions(after first: [Lifecycle.Action]) -> [Lifecycle.Action] {
        switch self {
        case .release(let id, let verdict): first + [.withdraw(id), .release(id, verdict)]
        case .closed: first + [.proceed(0, .afterResponse), .closed(0)]
        }
    }
}
