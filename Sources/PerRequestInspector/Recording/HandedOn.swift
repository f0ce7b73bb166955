#if Inspector
import PerRequest
import Synchronization

/// The records of stores of which another observer hands on what it is told: they are found by the stores' numbers.
final class HandedOn: Sendable {
    private struct State: Sendable {
        var records: [Int: Record] = [:]
        /// How many there may be before those are let go that are kept no longer.
        var limit = 1_000
    }

    private let recorder: Recorder
    private let state = Mutex(State())

    init(to recorder: Recorder) { self.recorder = recorder }

    func note(_ event: RequestEvent) {
        switch event.kind {
        case .opened(let parent):
            guard let record = recorder.open(event.store, in: parent) else { return }
            add(record, event.store.identity)
        case .closed(let outcome): record(of: event.store)?.close(outcome)
        default: record(of: event.store)?.note(event.fact)
        }
    }

    /// Lets go of the record of an open store, which is not to be seen.
    func hide(_ store: RequestStore) { if let record = record(of: store) { recorder.hide(record) } }

    private func record(of store: RequestStore) -> Record? { state.withLock { $0.records[store.identity] } }

    private func add(_ record: Record, _ number: Int) {
        let records: [Int: Record]? = state.withLock { state in
            state.records[number] = record
            return state.records.count < state.limit ? nil : state.records
        }
        guard let records else { return }
        let forgotten = records.filter { number, record in !record.isOf(store: number) }.keys
        state.withLock { state in
            for number in forgotten { state.records[number] = nil }
            state.limit = max(1_000, 2 * state.records.count)
        }
    }
}
#endif
