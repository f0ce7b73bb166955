import Synchronization

@testable import PerRequest

/// The code of the keys: factories, functions and releases, each as its plan says.
extension SoakRun {
    private var store: Int { RequestStore.current?.number ?? -1 }

    /// The factory of a closure form.
    func acquire(_ key: Int) async throws -> SoakValue {
        let id = ledger.acquisitionBegan(key, in: store)
        do {
            try await need(plan.behaviors[key], id)
        } catch {
            ledger.ended(id)
            throw error
        }
        ledger.acquired(id)
        return SoakValue(run: self, id: id, basis: [id])
    }

    /// The release of a closure form.
    func release(_ value: SoakValue, _ key: Int, _ verdict: RequestOutcome.Verdict) async throws {
        let behavior = plan.behaviors[key]
        ledger.releaseBegan(value.id, verdict, generation: value.generation, isAtPoint: plan.releasesAtPoints)
        try? await perform(behavior.isReleased, Place(acquisition: value.id))
        do {
            try await pause(behavior.releases, isCancellable: behavior.isCancellable)
            if behavior.failsRelease { throw TestError("release \(key)") }
        } catch {
            ledger.ended(value.id, verdict, failed: true)
            throw error
        }
        ledger.ended(value.id, verdict)
    }

    /// A memo's function.
    func memo(_ number: Int) async throws -> SoakValue {
        let key = SoakKeys.count + number
        let id = ledger.acquisitionBegan(key, in: store)
        defer { ledger.ended(id) }
        // One that forgets itself and calls itself would do so for ever.
        try await deeper { try await need(plan.behaviors[key], id) }
        return SoakValue(run: self, id: -1, basis: ledger.basis(of: id))
    }

    private func need(_ behavior: SoakPlan.Behavior, _ id: Int) async throws {
        try await perform(behavior.needs, Place(acquisition: id, throwsErrors: true))
        try await pause(behavior.acquires, isCancellable: behavior.isCancellable)
        if behavior.fails { throw TestError("acquire") }
    }

    // MARK: Around

    /// The function of an `around` form.
    func around(_ key: Int, _ use: RequestUse<SoakValue>) async throws -> RequestUse<SoakValue>.Receipt {
        let behavior = plan.behaviors[key]
        let id = ledger.acquisitionBegan(key, in: store)
        let told = Told()
        do {
            try await need(behavior, id)
            let receipt = try await hold(id, use, behavior, told)
            try await pause(behavior.releases, isCancellable: behavior.isCancellable)
            if behavior.failsRelease { throw TestError("commit \(key)") }
            ledger.ended(id, told.verdict)
            return receipt
        } catch {
            ledger.ended(id, told.verdict, failed: !(error is RequestRollback))
            throw error
        }
    }

    private func hold(
        _ id: Int,
        _ use: RequestUse<SoakValue>,
        _ behavior: SoakPlan.Behavior,
        _ told: Told
    ) async throws -> RequestUse<SoakValue>.Receipt {
        switch behavior.end {
        case .asItShould: return try await call(use, id, told)
        case .neverUses: return use.receipt()
        case .swallows:
            do { return try await call(use, id, told) } catch { return use.receipt() }
        case .opensChild(let owned, let steps):
            try await child(owned) {
                try await perform(steps, Place(acquisition: id))
                _ = try await call(use, id, told)
            }
            return use.receipt()
        case .dies(let after):
            return try await beside(
                { try await self.call(use, id, told) },
                {
                    await self.pause(after)
                    throw TestError("connection lost")
                }
            )
        case .usesTwice(let after):
            return try await beside(
                { try await self.call(use, id, told) },
                {
                    await self.pause(after)
                    return try await self.call(use, id, told)
                }
            )
        }
    }

    /// Hands the value over and notes what comes of it.
    private func call(
        _ use: RequestUse<SoakValue>,
        _ id: Int,
        _ told: Told
    ) async throws -> RequestUse<SoakValue>.Receipt {
        ledger.acquired(id)
        do {
            let receipt = try await use(SoakValue(run: self, id: id, basis: [id]))
            told.note(.commit)
            ledger.releaseBegan(id, .commit, isAtPoint: plan.releasesAtPoints)
            return receipt
        } catch let rollback as RequestRollback {
            told.note(.rollback)
            ledger.releaseBegan(id, .rollback, isAtPoint: plan.releasesAtPoints)
            throw rollback
        }
    }

    private func beside(
        _ first: @escaping @Sendable () async throws -> RequestUse<SoakValue>.Receipt,
        _ second: @escaping @Sendable () async throws -> RequestUse<SoakValue>.Receipt
    ) async throws -> RequestUse<SoakValue>.Receipt {
        try await withThrowingTaskGroup(of: RequestUse<SoakValue>.Receipt.self) { group in
            group.addTask(executorPreference: executor) { try await first() }
            group.addTask(executorPreference: executor) { try await second() }
            guard let receipt = try await group.next() else { throw TestError("no receipt") }
            return receipt
        }
    }
}

/// What `use` was told, for the function around it.
private final class Told: Sendable {
    private let noted = Lock<RequestOutcome.Verdict?>(nil)

    var verdict: RequestOutcome.Verdict? { noted.withLock { $0 } }

    func note(_ verdict: RequestOutcome.Verdict) { noted.withLock { $0 = verdict } }
}
