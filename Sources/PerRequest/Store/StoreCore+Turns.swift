import Synchronization

/// One body of `useExclusively`, among those that ask for the same value.
///
/// It is carried by the task of the body, its child tasks and the flights that they start: whoever waits there for a turn
/// that comes after this one waits for ever.
final class Turn: Sendable {
    private let store: Int
    private let entry: Int
    private let number: Int
    private let outer: Turn?

    init(store: Int, entry: Int, number: Int, inside outer: Turn?) {
        self.store = store
        self.entry = entry
        self.number = number
        self.outer = outer
    }

    /// Whether this is that turn, or inside of it.
    func isInside(_ number: Int, of entry: Int, in store: Int) -> Bool {
        if self.number == number, self.entry == entry, self.store == store { return true }
        return outer?.isInside(number, of: entry, in: store) ?? false
    }
}

/// Who has a value exclusively, and who waits for it, in the order in which they came.
struct TurnQueue: Sendable {
    struct Waiting: Sendable {
        let number: Int
        let waiter: Waiter
        /// The turn that the waiting task is inside of.
        let inside: Turn?
    }

    var current: Int?
    var waiting: [Waiting] = []
    private var last = 0

    mutating func nextNumber() -> Int {
        last += 1
        return last
    }

    /// Passes the turn on.
    ///
    /// Returns whom to resume.
    mutating func pass() -> Waiter? {
        guard !waiting.isEmpty else {
            current = nil
            return nil
        }
        let next = waiting.removeFirst()
        current = next.number
        return next.waiter
    }

    /// Returns whom to resume: nobody if it has been resumed already.
    mutating func cancel(_ number: Int) -> Waiter? {
        guard let index = waiting.firstIndex(where: { $0.number == number }) else { return nil }
        return waiting.remove(at: index).waiter
    }
}

extension StoreCore {
    /// Runs `body` with the value of an entry when it is the caller's turn, with the turn noted in the task.
    ///
    /// The caller has pinned the entry, so that its release waits.
    nonisolated(nonsending) func withTurn<Value, Result>(
        of entry: Int,
        as type: Value.Type,
        _ body: nonisolated(nonsending) (inout sending Value) async throws -> sending Result
    ) async throws -> sending Result {
        let outer = Ambient.turn
        let number = try await takeTurn(of: entry, inside: outer)
        defer { passTurn(of: entry) }
        guard let box = state.withLock({ $0.acquisitions[entry]?.box }) else {
            preconditionFailure("pinned without a value")
        }
        let loan = Loan<Value, Result>(box.handOver(as: type))
        defer { replaceBox(of: entry, by: box.replaced(by: loan.giveBack(), as: type)) }
        let turn = Turn(store: identity, entry: entry, number: number, inside: outer)
        try await Ambient.with(Ambient.Context(Ambient.core, factory: Ambient.factory, turn: turn)) {
            try await loan.lend(to: body)
        }
        return loan.takeResult()
    }

    private nonisolated(nonsending) func takeTurn(of entry: Int, inside turn: Turn?) async throws -> Int {
        let isCancelled = Task.isCancelled
        let request: TurnRequest = state.withLock { state in
            guard let record = state.acquisitions[entry] else { preconditionFailure("pinned and not there") }
            let number = record.turns.nextNumber()
            guard record.turns.current != nil else {
                record.turns.current = number
                return .taken(number)
            }
            if let turn, let path = state.path(fromTurnOf: entry, to: turn, in: identity) {
                let names = ([path.last ?? entry] + path).map(state.name(of:))
                return .refuse(error(.deadlock(names), key: state.name(of: entry)))
            }
            guard !isCancelled else { return .refuse(CancellationError()) }
            let waiter = Waiter()
            record.turns.waiting.append(TurnQueue.Waiting(number: number, waiter: waiter, inside: turn))
            return .wait(number, waiter)
        }
        switch request {
        case .taken(let number): return number
        case .refuse(let error): throw error
        case .wait(let number, let waiter):
            let result = await withTaskCancellationHandler {
                await waiter.wait()
            } onCancel: {
                let waiter = state.withLock { $0.acquisitions[entry]?.turns.cancel(number) }
                waiter?.resume(.failure(CancellationError()))
            }
            _ = try result.get()
            return number
        }
    }

    private enum TurnRequest: Sendable {
        case taken(Int)
        case wait(Int, Waiter)
        case refuse(any Error)
    }

    private func passTurn(of entry: Int) {
        let next = state.withLock { $0.acquisitions[entry]?.turns.pass() }
        next?.resume(.success(nil))
    }

    private func replaceBox(of entry: Int, by box: AnyBox) {
        var replaced: AnyBox?
        state.withLock { state in
            let record = state.acquisitions[entry]
            replaced = record?.box
            record?.box = box
            if let record, record.isPublished { publish(record, state) }
        }
        withExtendedLifetime(replaced) {}
    }
}

extension StoreCore.State {
    /// The entries along the waits from the present turn of `entry` to `turn` or one around it, if there is such a path.
    ///
    /// Waiting for `entry` inside of `turn` would close it to a cycle.
    fileprivate func path(fromTurnOf entry: Int, to turn: Turn, in store: Int, passed: Set<Int> = []) -> [Int]? {
        guard let current = acquisitions[entry]?.turns.current, !passed.contains(entry) else { return nil }
        if turn.isInside(current, of: entry, in: store) { return [entry] }
        for (next, record) in acquisitions.all {
            let waits = record.turns.waiting.contains { $0.inside?.isInside(current, of: entry, in: store) ?? false }
            guard waits else { continue }
            if let rest = path(fromTurnOf: next, to: turn, in: store, passed: passed.union([entry])) {
                return [entry] + rest
            }
        }
        return nil
    }
}
