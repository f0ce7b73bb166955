import Synchronization

@testable import PerRequest

/// One request of the soak: does what its plan says.
final class SoakRun: Sendable {
    /// What the steps of a task are inside of.
    struct Place: Sendable {
        /// The acquisition whose code this is.
        var acquisition: Int?
        /// Whether the first step that fails ends the rest.
        var throwsErrors = false
    }

    let plan: SoakPlan
    let ledger: SoakLedger
    let executor: SeededExecutor?
    let core: RequestCore
    private let resources: [RequestResource<SoakValue>]

    init(_ plan: SoakPlan, executor: SeededExecutor? = nil) {
        self.plan = plan
        self.executor = executor
        ledger = SoakLedger(isStrict: executor != nil)
        resources = plan.isTimed ? SoakKeys.hasty : SoakKeys.patient
        core = RequestCore(
            StoreConfiguration(
                observers: ledger.observers(plan.watching),
                reporter: { _ in },
                limits: plan.limits,
                executor: executor
            )
        )
    }

    // MARK: The request

    /// Opens the request, does all, and returns when all has ended.
    func serve() async {
        await SoakKeys.$run.withValue(self) {
            await open()
            await ledger.allClosed.wait()
            ledger.taskEnded()
            await ledger.tasksDone.wait()
        }
        ledger.finish()
    }

    private func open() async {
        ledger.taskBegan()
        let scope = StoreScope(core: core)
        for task in plan.tasks {
            let caller = start { await scope.run { try? await self.perform(task.steps, Place()) } }
            guard let pause = task.isCancelledAfter else { continue }
            start {
                await self.pause(pause)
                caller.cancel()
            }
        }
        if !plan.overruns.isEmpty { start { await self.overrun() } }
        await pause(plan.beforeSettling)
        guard !plan.isAbandoned else { return }
        if plan.fails { scope.fail(TestError()) }
        if plan.settles {
            let hasLost = plan.releasesAtPoints && plan.overruns.isEmpty && ledger.hasLost(in: scope.store.number)
            let settlement = await scope.settle(status: plan.status)
            ledger.settled(scope.store.number, settlement.outcome.verdict)
            check(settlement, hasLost: hasLost)
            await scope.run { try? await self.perform(plan.body, Place()) }
        }
        let outcome = await scope.close(plan.ending)
        ledger.settled(scope.store.number, outcome.verdict)
    }

    private func check(_ settlement: StoreSettlement, hasLost: Bool) {
        let verdict = settlement.outcome.verdict
        if verdict == .commit {
            if settlement.failure != nil { ledger.problem("16: it commits, and says that it has failed") }
            // Elsewhere the lifecycle may hear of the loss later.
            if hasLost, executor != nil { ledger.problem("17: it commits what was lost") }
        } else if settlement.failure == nil, !plan.fails, plan.status == .http(200), !ledger.wasFailed {
            ledger.problem("16: it rolls back, and the response is a success")
        }
    }

    @discardableResult
    private func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        ledger.taskBegan()
        return Task(executorPreference: executor) {
            await body()
            self.ledger.taskEnded()
        }
    }

    /// Lets time pass where there is no clock.
    private func overrun() async {
        for overrun in plan.overruns {
            await pause(overrun.after)
            let event = core.state.withLock { state -> Lifecycle.Event? in
                let events = state.lifecycle.limits
                return events.isEmpty ? nil : events[overrun.choice % events.count]
            }
            guard let event else { continue }
            ledger.note("\(event)")
            core.send(event)
        }
    }

    // MARK: Steps

    func perform(_ steps: [SoakPlan.Step], _ place: Place) async throws {
        for step in steps {
            do { try await perform(step, place) } catch { if place.throwsErrors { throw error } }
        }
    }

    private func perform(_ step: SoakPlan.Step, _ place: Place) async throws {
        switch step {
        case .pause(let pause): await self.pause(pause)
        case .get(let key):
            try await asking("get \(key)", place) { try await resources[key].get() }
        case .use(let key, let steps):
            try await asking { try await resources[key].use { try await self.run(steps, in: $0, place) } }
        case .exclusive(let key, let steps):
            try await asking {
                try await resources[key].useExclusively { value in
                    try await self.run(steps, in: value, place, isExclusive: true)
                    value.generation += 1
                }
            }
        case .memo(let memo, let argument):
            try await asking("memo \(memo)", place) { try await SoakKeys.memos[memo](argument) }
        case .forget(let memo, let argument): try SoakKeys.memos[memo].forget(argument)
        case .forgetAll(let memo): try SoakKeys.memos[memo].forgetAll()
        case .release(let key, let verdict): try await resources[key].release(verdict)
        case .child(let owned, let ownsMemos, let steps, let fails):
            try await child(owned, ownsMemos) {
                try await self.perform(steps, Place(acquisition: place.acquisition))
                if fails { throw TestError("child") }
            }
        case .spawn(let steps):
            try await deeper { start { try? await self.perform(steps, Place()) } }
        case .together(let branches):
            await withTaskGroup(of: Void.self) { group in
                for steps in branches {
                    group.addTask(executorPreference: executor) {
                        try? await self.perform(steps, Place(acquisition: place.acquisition))
                    }
                }
            }
        case .cancelled(let steps, let pause):
            let task = start { try? await self.perform(steps, Place(acquisition: place.acquisition)) }
            await self.pause(pause)
            task.cancel()
            await task.value
        case .fail:
            ledger.failed()
            RequestStore.current?.fail(TestError("step"))
        }
    }

    /// Asks for a value, and checks what comes.
    private func asking(_ what: String, _ place: Place, _ body: () async throws -> SoakValue) async throws {
        let gone = ledger.gone()
        try await asking {
            let value = try await body()
            ledger.note("\(what): \(value.basis)")
            if let acquisition = place.acquisition { ledger.build(acquisition, on: value) }
            ledger.got(value, after: gone)
        }
    }

    /// A caller that is not cancelled is not told that it was.
    private func asking(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            if error is CancellationError, !Task.isCancelled { ledger.problem("9: cancelled, though nobody did") }
            throw error
        }
    }

    private func run(
        _ steps: [SoakPlan.Step],
        in value: SoakValue,
        _ place: Place,
        isExclusive: Bool = false
    ) async throws {
        let body = ledger.bodyBegan(with: value, isExclusive: isExclusive)
        defer { ledger.bodyEnded(body, with: value, isExclusive: isExclusive) }
        if let acquisition = place.acquisition { ledger.build(acquisition, on: value) }
        try await perform(steps, Place(acquisition: place.acquisition))
    }

    func child(_ owned: Set<Int>, _ ownsMemos: Bool = false, _ body: () async throws -> Void) async throws {
        var keys = Set(owned.map { resources[$0].ownableID.number })
        if ownsMemos { keys.formUnion(SoakKeys.memos.map { $0.ownableID.number }) }
        try await deeper {
            try await withRequestStore(RequestNesting(mode: .child(owned: keys))) { _ in try await body() }
        }
    }

    func deeper(_ body: () async throws -> Void) async throws {
        let depth = SoakKeys.depth
        guard depth < 4, ledger.acquisitions < 200 else { throw TestError("deep enough") }
        try await SoakKeys.$depth.withValue(depth + 1) { try await body() }
    }

    // MARK: Pauses

    func pause(_ pause: SoakPlan.Pause) async {
        switch pause {
        case .yields(let count): for _ in 0..<count { await Task.yield() }
        case .microseconds(let count):
            // Whatever happens to this task.
            await Task.detached { try? await Task.sleep(for: .microseconds(count)) }.value
        }
    }

    func pause(_ pause: SoakPlan.Pause, isCancellable: Bool) async throws {
        guard isCancellable else { return await self.pause(pause) }
        switch pause {
        case .yields(let count):
            for _ in 0..<count {
                try Task.checkCancellation()
                await Task.yield()
            }
        case .microseconds(let count): try await Task.sleep(for: .microseconds(count))
        }
    }
}

extension Lifecycle {
    /// All that could pass its time limit now.
    fileprivate var limits: [Event] {
        var events: [Event] = []
        for place in entries.all {
            for stage in [Stage.acquiring, .cancelling, .awaitingUses, .releasing] {
                let id = entries.id(at: place)
                if isUnderWay(id, stage) { events.append(.deadline(id, stage)) }
            }
        }
        let scopes = [Self.rootScope] + children.all.map { scopeID(at: $0 + 1) }
        for scope in scopes where [.settling, .closing].contains(phase(of: scope)) {
            events.append(.budgetSpent(scope, .beforeResponse))
            events.append(.budgetSpent(scope, .afterResponse))
        }
        return events
    }
}
