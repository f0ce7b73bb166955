@testable import PerRequest

/// What a lifecycle has been told and has asked for, kept apart from the lifecycle, and the rules that must hold for it.
///
/// It knows only events, answers and actions. Each transition is checked; what is over is forgotten, so that equal
/// situations are equal values.
struct LifecycleModel: Hashable {
    struct Scope: Hashable {
        let id: Int
        let parent: Int?
        /// The entry inside of which it was opened, if that has to end first.
        var bound: Int?
        /// An observer is told of its end, and has been.
        var isObserved = false
        var isTold = false
        var failed = false
        var spoiled = false
        var settleSent = false
        var closeSent = false
        var isForced = false
        var isCompleted = false
        var succeeded = true
        var proceededBefore = false
        var proceededAfter = false
        var budgetSpent = false
        var isClosed = false
        var verdict: RequestOutcome.Verdict?

        var beforeBegan: Bool { settleSent || closeSent }
        var afterBegan: Bool { closeSent && proceededBefore }
        /// What it would decide now.
        var present: RequestOutcome.Verdict { succeeded && !failed && !spoiled ? .commit : .rollback }

        func hasBegun(_ point: ReleasePoint) -> Bool { point == .beforeResponse ? beforeBegan : afterBegan }
    }

    struct Entry: Hashable {
        let resource: Int
        let scope: Int
        let point: ReleasePoint
        let form: Lifecycle.Form
        let beginning: Lifecycle.Entry.Beginning
        var isFlying = true
        var isCancelled = false
        /// Its stage took too long: nobody waits for it any more.
        var isOverdue = false
        var isLate = false
        var isLost = false
        var isReleasing = false
        var awaitsUses = false
        /// Only bodies that began in children use it: its closing scope does not wait for them.
        var isParked = false
        var isKept = false
        var isSpent = false
        var early: RequestOutcome.Verdict?
        var told: RequestOutcome.Verdict?
        var order: Int?
        var dependencies: Set<Int> = []
        var claimant: Int?

        var isAlive: Bool { !isLost && !isSpent && !isKept }
        var isHeld: Bool { order != nil && !isReleasing && isAlive && !isLate }
        /// Whether a caller gets the value at once.
        var isReadable: Bool { isKept || isHeld && early == nil && !awaitsUses }
        /// Whether its scope waits for those who use it.
        var isAwaited: Bool { awaitsUses && !isOverdue && !isReleasing && !isParked && isAlive }
        /// Whether code runs for it, which can ask for something.
        var isRunning: Bool { isFlying || isReleasing || (form == .around && order != nil && isAlive) }
    }

    struct Call: Hashable {
        let kind: Lifecycle.Call.Kind
        /// The entry that was asked for; a negative number where a scope's phase is waited for.
        let entry: Int
        /// The scope that it came from.
        var caller = 0
        var inside: Lifecycle.Activity?
        var isRunning = false
        /// When it asked.
        var turn = 0

        /// The scope whose phase is waited for.
        var scope: Int { -1 - entry }
    }

    var scopes: [Int: Scope] = [0: Scope(id: 0, parent: nil)]
    var entries: [Int: Entry] = [:]
    var calls: [Int: Call] = [:]
    var published = 0
    var started: [Int: Int] = [:]
    var asked: [Int: Int] = [:]

    /// The rules that the last transition broke.
    var violations: [String] = []

    mutating func check(_ holds: Bool, _ rule: String) {
        if !holds { violations.append(rule) }
    }

    func isAncestor(_ ancestor: Int, of scope: Int) -> Bool {
        var next = scopes[scope]?.parent
        while let scope = next {
            if scope == ancestor { return true }
            next = scopes[scope]?.parent
        }
        return false
    }

    func dependents(of id: Int) -> [Int] {
        entries.filter { $0.key != id && $0.value.isAlive && $0.value.dependencies.contains(id) }.map(\.key)
    }

    func uses(of id: Int) -> Int {
        calls.values.count { $0.entry == id && ($0.kind == .use && $0.isRunning || $0.kind == .exclusive) }
    }

    /// Whether only bodies that began in children use an entry, or wait for their turn.
    func isUsedByChildrenOnly(_ id: Int) -> Bool {
        let users = calls.values.filter {
            $0.entry == id && ($0.kind == .use && $0.isRunning || $0.kind == .exclusive)
        }
        return !users.isEmpty && users.allSatisfy { $0.caller != entries[id]?.scope }
    }

    /// The scope that an activity's code belongs to.
    func scope(of activity: Lifecycle.Activity?) -> Int? {
        switch activity {
        case .entry(let id): entries[id]?.scope
        case .body(let call): calls[call]?.caller
        case nil: nil
        }
    }

    func entry(around activity: Lifecycle.Activity?) -> Int? {
        switch activity {
        case .entry(let id): id
        case .body(let call): calls[call].flatMap { entry(around: $0.inside) }
        case nil: nil
        }
    }

    mutating func add(_ call: Int, _ value: Call) {
        let turn = (calls.values.map(\.turn).max() ?? 0) + 1
        calls[call] = value
        calls[call]?.turn = turn
    }

    /// Notes that what runs inside of `activity` has got the value of an entry.
    mutating func build(_ activity: Lifecycle.Activity?, on id: Int) {
        guard let dependent = entry(around: activity), dependent != id, let mine = entries[dependent], mine.isRunning,
            let other = entries[id]
        else { return }
        guard other.form == .memo else {
            if !isAncestor(mine.scope, of: other.scope) { entries[dependent]?.dependencies.insert(id) }
            return
        }
        for dependency in other.dependencies where entries[dependency]?.form != .memo {
            if let scope = entries[dependency]?.scope, !isAncestor(mine.scope, of: scope) {
                entries[dependent]?.dependencies.insert(dependency)
            }
        }
        if mine.form == .memo, other.isKept || other.isFlying { entries[dependent]?.dependencies.insert(id) }
    }

    // MARK: - Events

    mutating func note(_ event: Lifecycle.Event) {
        switch event {
        case .arrived(let id):
            guard var entry = entries[id] else { return }
            entry.isLate = entry.isCancelled
            entry.isFlying = false
            entry.isOverdue = false
            if entry.form != .memo {
                entry.order = published
                published += 1
            }
            entries[id] = entry
            if entry.form != .around { detach(.entry(id), to: nil) }
        case .flightFailed(let id):
            entries[id]?.isFlying = false
            detach(.entry(id), to: nil)
        case .lost(let id):
            guard let entry = entries[id] else { return }
            if !entry.isLate, !(entry.awaitsUses && entry.isOverdue) { spoil(id) }
            entries[id]?.isLost = true
            detach(.entry(id), to: nil)
        case .callEnded(let id):
            detach(.body(id), to: calls[id]?.inside)
            calls[id] = nil
        case .released(let id, let isFailure):
            guard let entry = entries[id] else { return }
            detach(.entry(id), to: nil)
            if isFailure, !entry.isOverdue { spoil(id) }
            if entry.form == .around, entry.early != nil, scopes[entry.scope]?.hasBegun(entry.point) == false {
                entries[id]?.isSpent = true
                entries[id]?.isReleasing = false
            }
        case .deadline(let id, let stage):
            guard stage != .acquiring else { return }
            entries[id]?.isOverdue = true
            if stage != .cancelling { spoil(id) }
        case .budgetSpent(let id, _):
            scopes[id]?.budgetSpent = true
            if let scope = scopes[id], scope.beforeBegan, !scope.proceededBefore { turn(id) }
        case .fail(let id): if scopes[id]?.beforeBegan == false { scopes[id]?.failed = true }
        case .settle(let id, let success):
            if scopes[id]?.beforeBegan == false { scopes[id]?.succeeded = success }
            scopes[id]?.settleSent = true
        case .close(let id, let success, let completed): close(id, success, completed)
        case .told(let id): scopes[id]?.isTold = true
        case .forgetMemo, .callCancelled: break
        }
    }

    /// What code waits for that outlives its activity is inside of the one around that.
    private mutating func detach(_ activity: Lifecycle.Activity, to outer: Lifecycle.Activity?) {
        for (call, value) in calls where value.inside == activity { calls[call]?.inside = outer }
    }

    private mutating func close(_ id: Int, _ success: Bool, _ completed: Bool) {
        if scopes[id]?.beforeBegan == false { scopes[id]?.succeeded = success }
        if scopes[id]?.closeSent == false { scopes[id]?.isCompleted = completed }
        scopes[id]?.closeSent = true
    }

    /// A release goes wrong.
    private mutating func spoil(_ id: Int) {
        guard let entry = entries[id] else { return }
        guard entry.early == nil || entry.point == .beforeResponse, verdict(for: entry) == .commit else { return }
        turn(entry.scope)
    }

    private mutating func turn(_ id: Int) {
        guard let scope = scopes[id], !scope.proceededBefore, !scope.failed, scope.succeeded else { return }
        scopes[id]?.spoiled = true
    }

    /// What a release has to be told.
    func verdict(for entry: Entry) -> RequestOutcome.Verdict {
        if let told = entry.told { return told }
        if entry.isLate { return .rollback }
        if let early = entry.early { return early }
        guard let scope = scopes[entry.scope], (scope.verdict ?? scope.present) == .commit else { return .rollback }
        switch entry.beginning {
        case .inTime: return .commit
        case .afterRequestSettled: return scope.isForced && !scope.isCompleted ? .rollback : .commit
        case .afterSettled: return scope.isCompleted ? .commit : .rollback
        }
    }

    // MARK: - Actions

    mutating func note(_ action: Lifecycle.Action) {
        switch action {
        case .acquired(let id): check(entries[id]?.order != nil, "10: registered without a value")
        case .withdraw(let id):
            check(entries[id]?.isHeld == true || entries[id]?.isLost == true, "12: withdrawn unheld")
        case .keep(let id):
            let isGood = entries[id]?.dependencies.allSatisfy { entries[$0]?.isReadable == true } == true
            check(isGood && entries[id]?.isLate == false, "11: kept a memo of what has ended")
            entries[id]?.isKept = true
        case .resume(let call, let resumption): resumed(call, resumption)
        case .cancelFlight(let id):
            check(entries[id]?.isFlying == true, "9: cancelled what is no flight")
            check(entries[id]?.isCancelled == false, "13: cancelled twice")
            entries[id]?.isCancelled = true
        case .awaitUses(let id):
            let foreign = dependents(of: id).contains { entries[$0]?.scope != entries[id]?.scope }
            check(uses(of: id) > 0 || foreign, "14: waits for no use")
            entries[id]?.awaitsUses = true
            let isClosing = entries[id].flatMap { scopes[$0.scope] }?.afterBegan == true
            let isParked = isClosing && isUsedByChildrenOnly(id)
            entries[id]?.isParked = isParked
        case .release(let id, let verdict): released(id, verdict)
        case .cancelRelease(let id): check(entries[id]?.isReleasing == true, "13: cancelled what is no release")
        case .overran(let id, let stage, _):
            check(entries[id] != nil, "13: reported what is not there")
            if stage == .awaitingUses, let entry = entries[id], !entry.awaitsUses { turn(entry.scope) }
        case .budgetOverran(let id, _):
            check(scopes[id]?.budgetSpent == true, "13: reported a budget that was not spent")
        case .tell(let id, let failed):
            check(reaches(id, from: failed), "14: told of what is not built on it")
        case .forget(let id), .forgetMemo(let id): forgot(id)
        case .closeChild(let id): closedChild(id)
        case .proceed(let id, let point): proceeded(id, point)
        case .closed(let id):
            check(scopes[id]?.proceededAfter == true && scopes[id]?.isClosed == false, "1: closed twice or too early")
            check(!scopes.values.contains { $0.parent == id && !$0.isClosed }, "4: a child outlives its parent")
            check(!isWaitingToTell(id), "4: closed before the observer was told of a child's end")
            check(!entries.values.contains { $0.scope == id }, "6: closed while something is held")
            scopes[id]?.isClosed = true
        }
    }

    func reaches(_ goal: Int, from start: Int) -> Bool {
        var seen: Set<Int> = []
        var open = [start]
        while let id = open.popLast() {
            for next in entries[id]?.dependencies ?? [] where seen.insert(next).inserted {
                if next == goal { return true }
                open.append(next)
            }
        }
        return false
    }

    private mutating func resumed(_ id: Int, _ resumption: Lifecycle.Resumption) {
        guard let call = calls[id], !call.isRunning else { return check(false, "9: a waiter got a second answer") }
        let entry = entries[call.entry]
        switch resumption {
        case .value(let other):
            check(other == call.entry && (entry?.isFlying == false), "9: a value that is not there")
            check(entry?.isLate == false && entry?.isLost == false, "9: a value that nobody may have")
            check(call.kind != .release, "14: an early release was answered with a value")
            // What is made already, and goes on using this when it is to be released, has it in the body only.
            let isDue = entry.map { $0.early != nil || scopes[$0.scope]?.hasBegun($0.point) ?? false } ?? false
            let isMade = self.entry(around: call.inside).flatMap { entries[$0] }.map { !$0.isFlying } ?? false
            if !(isDue && isMade && call.kind == .exclusive) { build(call.inside, on: call.entry) }
            guard call.kind == .use || call.kind == .exclusive else { break }
            if call.kind == .exclusive {
                let others = calls.values.contains { $0.entry == call.entry && $0.kind == .exclusive && $0.isRunning }
                check(!others, "9: two bodies have the turn")
                let earlier = calls.contains {
                    $0.key != id && $0.value.turn < call.turn && $0.value.entry == call.entry
                        && $0.value.kind == .exclusive && !$0.value.isRunning
                }
                check(!earlier, "9: a turn out of order")
            }
            calls[id]?.isRunning = true
            return
        case .failure(let other):
            check(other == call.entry && entry?.isFlying == false, "9: a failure that did not happen")
        case .pointBegan:
            check(entry.flatMap { scopes[$0.scope]?.hasBegun($0.point) } ?? false, "9: cancelled for no reason")
        case .lost: check(entry?.isLost == true, "17: lost what is not")
        case .released, .releaseTimedOut: check(call.kind == .release, "9: answered as a release")
        case .cancelled, .timedOut, .deadlock: break
        }
        if call.kind == .claim, resumption != .value(call.entry) { entries[call.entry]?.claimant = nil }
        calls[id] = nil
    }

    private mutating func released(_ id: Int, _ verdict: RequestOutcome.Verdict) {
        guard let entry = entries[id], let scope = scopes[entry.scope] else {
            return check(false, "12: released nothing")
        }
        check(entry.order != nil, "12: released without a value")
        check(!entry.isReleasing, "12: released twice")
        check(entry.isAlive, "17: released what was lost")
        check(uses(of: id) == 0, "14: released under a body that uses it")
        check(dependents(of: id).isEmpty, "13: released before what depends on it")
        check(verdict == self.verdict(for: entry), "10, 14, 15: told another verdict")
        check(entry.early != nil || entry.isLate || scope.hasBegun(entry.point), "12: released before its point")
        let others = entries.filter { $0.key != id && $0.value.scope == entry.scope }
        check(!others.values.contains { $0.isReleasing && !$0.isOverdue }, "12: two releases at a time")
        if entry.early == nil, !entry.isLate, !entry.awaitsUses {
            check(
                !others.values.contains { $0.isAwaited },
                "12: did not wait for uses"
            )
            check(
                !others.values.contains { $0.isFlying && $0.isCancelled && !$0.isOverdue && scope.hasBegun($0.point) },
                "12: released before the flights of the point have ended"
            )
            check(!isWaitingForChildren(scope), "4: released before the children closed")
            let later = others.contains { other, value in
                value.isHeld && value.early == nil && scope.hasBegun(value.point) && value.order! > entry.order!
                    && !value.awaitsUses && dependents(of: other).isEmpty
            }
            check(!later, "12: not the last acquired first")
        }
        entries[id]?.told = verdict
        entries[id]?.isReleasing = true
        entries[id]?.awaitsUses = false
        entries[id]?.isOverdue = false
    }

    /// Whether a scope that closes has to wait for a child.
    func isWaitingForChildren(_ scope: Scope) -> Bool {
        scope.afterBegan && !scope.proceededAfter && hasOpenChild(scope)
    }

    private func hasOpenChild(_ scope: Scope) -> Bool {
        scopes.values.contains { child in
            child.parent == scope.id && !child.isClosed && !child.proceededAfter && !isBound(child)
        }
    }

    /// Whether a child of a scope has closed, and its observer does not know.
    func isWaitingToTell(_ id: Int) -> Bool {
        scopes.values.contains { $0.parent == id && $0.isClosed && $0.isObserved && !$0.isTold }
    }

    func isBound(_ scope: Scope) -> Bool { scope.bound.flatMap { entries[$0] }.map { $0.isAlive } ?? false }

    private mutating func forgot(_ id: Int) {
        guard let entry = entries[id] else { return check(false, "13: forgot what is not there") }
        check(!entry.isFlying, "13: forgot a flight that runs")
        check(!calls.values.contains { $0.entry == id && !$0.isRunning }, "9: a waiter is left hanging")
        if entry.order != nil, entry.isAlive { check(entry.isReleasing, "12: forgot what is held") }
        entries[id] = nil
        for (call, value) in calls where value.entry == id {
            check(entry.isLost, "14: forgot what a body uses")
            calls[call] = nil
        }
    }

    private mutating func closedChild(_ id: Int) {
        guard let child = scopes[id], let parent = child.parent.flatMap({ scopes[$0] }) else {
            return check(false, "4: closed no child")
        }
        check(parent.afterBegan, "4: closed a child before its parent closes")
        check(!isBound(child), "4: closed a child before the entry that it belongs to has ended")
        let later = scopes.values.contains {
            $0.parent == parent.id && $0.id > id && !$0.isClosed && !$0.proceededAfter && $0.bound == nil
                && child.bound == nil
        }
        check(!later, "4: closed a child out of order")
        scopes[id]?.isForced = true
        close(id, parent.verdict == .commit, parent.isCompleted)
    }

    private mutating func proceeded(_ id: Int, _ point: ReleasePoint) {
        guard let scope = scopes[id] else { return check(false, "1: no such scope") }
        if point == .beforeResponse {
            check(scope.beforeBegan && !scope.proceededBefore, "1: settled out of turn")
            checkProceed(scope)
            scopes[id]?.proceededBefore = true
            scopes[id]?.verdict = scope.present
            scopes[id]?.budgetSpent = scope.budgetSpent && scope.closeSent
        } else {
            check(scope.afterBegan && !scope.proceededAfter, "1: closed out of turn")
            check(!isWaitingForChildren(scope) || scope.budgetSpent, "4: closed before its children")
            check(!isWaitingToTell(id) || scope.budgetSpent, "4: went on before the observer was told of a child's end")
            checkProceed(scope)
            scopes[id]?.proceededAfter = true
        }
        if point == .afterResponse || !scope.closeSent {
            for (call, value) in calls where value.kind == .phase && value.scope == id { calls[call] = nil }
        }
    }

    /// The opener of a scope waits for the end of its phase inside of an activity.
    mutating func waitForPhase(of id: Int, _ inside: Lifecycle.Activity) {
        let isRunning =
            switch inside {
            case .entry(let id): entries[id]?.isRunning ?? false
            case .body(let call): calls[call]?.isRunning ?? false
            }
        guard isRunning, calls[-1 - id] == nil else { return }
        add(-1 - id, Call(kind: .phase, entry: -1 - id, inside: inside))
    }

    private mutating func checkProceed(_ scope: Scope) {
        guard !scope.budgetSpent else { return }
        for (id, entry) in entries where entry.scope == scope.id && scope.hasBegun(entry.point) && entry.isAlive {
            if entry.isOverdue { continue }
            if entry.isFlying { check(false, "12: went on while a flight of the point runs") }
            if entry.isReleasing || entry.awaitsUses && !entry.isParked {
                check(false, "12: went on while a release runs")
            }
            if entry.isHeld, !entry.isParked { check(!dependents(of: id).isEmpty, "12: went on without a release") }
            if entry.isHeld, entry.point == .beforeResponse, entry.early == nil, !scope.proceededBefore {
                check(scope.present == .rollback, "16: promised a success that was not committed")
            }
        }
    }

    // MARK: - What holds after every transition

    mutating func check(_ lifecycle: Lifecycle) {
        for scope in scopes.values {
            if scope.isClosed {
                check(lifecycle.phase(of: scope.id) == .closed, "1: a phase was left backwards")
                continue
            }
            check(lifecycle.phase(of: scope.id) != .closed, "1: closed without saying so")
            if let verdict = scope.verdict {
                check(lifecycle.verdict(of: scope.id) == verdict, "15, 16: the wrong verdict")
                let mustReplace = scope.succeeded && !scope.failed && scope.spoiled
                check((lifecycle.response(of: scope.id) != .asIntended) == mustReplace, "16: the wrong response")
            } else {
                check(lifecycle.verdict(of: scope.id) == scope.present || scope.beforeBegan, "16: turned late")
            }
        }
        check(lifecycle.entries.count == Int32(entries.count), "13: lost count of what is held")
        let openers = lifecycle.calls.all.count { lifecycle.calls[$0].kind == .phase }
        check(openers == calls.values.count { $0.kind == .phase }, "1: lost count of the openers that wait")
        for (id, entry) in entries where entry.isKept {
            let isGood = entry.dependencies.allSatisfy { entries[$0]?.isReadable == true }
            check(isGood && lifecycle.isReadable(id), "11: a memo outlives what it is built on")
        }
        for (id, call) in calls where !call.isRunning {
            guard call.kind != .phase else {
                check(scopes[call.scope].map { $0.beforeBegan && !$0.proceededAfter } ?? false, "1: an opener waits")
                continue
            }
            let entry = entries[call.entry]
            let isFlight = entry?.isFlying == true && entry?.isCancelled == false
            let isTurn =
                call.kind == .exclusive
                && calls.contains { $0.key != id && $0.value.entry == call.entry && $0.value.kind == .exclusive }
                || call.kind == .claim && entry?.isHeld == true
            let isRelease = call.kind == .release && entry?.early != nil
            check(isFlight || isTurn || isRelease, "9: a waiter is left hanging")
        }
        checkProgress()
        for scope in scopes.values where scope.afterBegan && !scope.isClosed { checkNothingIsHeldUp(in: scope) }
        checkOpeners()
        checkReopening(lifecycle)
    }

    /// What has ended and is opened again is as if it were new, but for its numbers.
    private mutating func checkReopening(_ lifecycle: Lifecycle) {
        guard lifecycle.phase(of: Lifecycle.rootScope) == .closed else { return }
        var again = lifecycle
        // A body whose value was lost may run on.
        let isAlone = scopes.count == 1 && entries.isEmpty && calls.isEmpty && lifecycle.calls.count == 0
        check(again.forgetAll() == isAlone, "7: another request's lifecycle, while something of this one is left")
        guard isAlone else { return }
        again.reopen()
        let isNew = again[scope: 0] == Lifecycle()[scope: 0] && again.isUnused && again.current == nil
        check(
            isNew && again.agenda.isEmpty && again.closed.isEmpty,
            "7: something of another request's lifecycle is left"
        )
    }

    /// A scope that closes goes on unless something runs that it has to wait for, and what it does not wait for has a limit.
    private mutating func checkNothingIsHeldUp(in scope: Scope) {
        let own = entries.filter { $0.value.scope == scope.id && $0.value.isAlive }
        let isBusy = own.values.contains {
            $0.isReleasing && !$0.isOverdue || $0.isAwaited || $0.isFlying && $0.isCancelled && !$0.isOverdue
        }
        guard !isBusy, !hasOpenChild(scope), !isWaitingToTell(scope.id) else { return }
        check(scope.proceededAfter, "13: a scope waits for what it is not built on")
        for (id, entry) in own where entry.isHeld && !entry.awaitsUses && dependents(of: id).isEmpty {
            check(false, "13: what children use is held without a limit")
        }
    }

    /// Nobody waits for what an opener's phase has to wait for, if that waits for the activity in which the opener is.
    private mutating func checkOpeners() {
        for (_, opener) in calls where opener.kind == .phase {
            guard let inside = opener.inside else { continue }
            for (id, call) in calls where !call.isRunning && call.kind != .phase && call.kind != .release {
                guard waited(by: opener).contains(.body(id)), waited(by: call).contains(inside) else { continue }
                check(false, "11: a cycle through an opener")
            }
        }
    }

    /// The activities, and the calls, that a call waits for.
    func waited(by call: Call) -> Set<Lifecycle.Activity> {
        var open: [Lifecycle.Activity] = []
        var seen: Set<Lifecycle.Activity> = []
        func visit(_ call: Call) {
            guard call.kind != .phase else { return visit(scope: call.scope) }
            if entries[call.entry]?.isFlying == true { open.append(.entry(call.entry)) }
            guard call.kind == .exclusive || call.kind == .claim else { return }
            for (id, other) in calls where other.entry == call.entry && other.kind == .exclusive {
                if call.turn == 0 || other.turn < call.turn { open.append(.body(id)) }
            }
        }
        func visit(scope id: Int) {
            guard let scope = scopes[id], !scope.isClosed else { return }
            for (id, entry) in entries where entry.scope == scope.id && entry.isAlive && !entry.isOverdue {
                let isCancelled = entry.isFlying && entry.isCancelled && scope.hasBegun(entry.point)
                if isCancelled || entry.isReleasing { open.append(.entry(id)) }
                guard entry.isAwaited else { continue }
                for (call, value) in calls where value.entry == id { open.append(.body(call)) }
            }
            guard scope.afterBegan, !scope.proceededAfter else { return }
            for child in scopes.values where child.parent == id && !child.proceededAfter && !isBound(child) {
                visit(scope: child.id)
            }
        }
        visit(call)
        while let next = open.popLast() {
            guard seen.insert(next).inserted else { continue }
            if case .body(let id) = next, let call = calls[id], !call.isRunning { visit(call) }
            for (id, value) in calls where value.inside == next { open.append(.body(id)) }
        }
        return seen
    }

    /// Something is always under way where somebody waits for it.
    private mutating func checkProgress() {
        let isRunning =
            entries.values.contains { ($0.isFlying || $0.isReleasing) && $0.isAlive }
            || entries.keys.contains { uses(of: $0) > 0 }
        let isChild =
            scopes.values.contains { $0.parent != nil && !$0.isClosed && !$0.closeSent }
            || scopes.keys.contains(where: isWaitingToTell)
        for scope in scopes.values where !scope.isClosed {
            let isWaited = scope.beforeBegan && !scope.proceededBefore || scope.afterBegan
            check(!isWaited || isRunning || isChild, "12: waits for nothing")
        }
        for (id, entry) in entries where entry.isAlive && entry.order != nil && !entry.isReleasing {
            let isDue = entry.isLate || entry.early != nil
            check(!isDue || isRunning || isChild || !dependents(of: id).isEmpty, "10, 14: a release never happens")
        }
    }
}
