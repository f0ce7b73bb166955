#if Inspector
import PerRequest
import Synchronization

/// Keeps the records of the stores that are open, and of those that have closed last.
///
/// A store refers to its record: no event has to look for it. The lock that all requests share is taken only when one opens or
/// closes. Once as many have closed as are kept, nearly nothing is allocated.
///
/// **Bounds.** So many records of closed stores, so many of open ones, and so many parts of all of them together.
final class Recorder: Sendable {
    /// How many stores can be open that are seen.
    static let openLimit = 2_000

    let capacity: Int
    private let shelf: Mutex<Shelf>
    /// How many parts are kept, and how many can be.
    let parts = Atomic(0)
    let partLimit: Int
    /// The number of the look at all timelines that comes next: whoever looks again sees by it what has changed since.
    let look = Atomic(0)

    init(capacity: Int) {
        self.capacity = max(capacity, 1)
        partLimit = self.capacity * 50 + 10_000
        shelf = Mutex(Shelf(capacity: self.capacity, sizeLimit: self.capacity * 50))
    }

    /// Opens the record of a store; `nil` where too many are open.
    func open(_ store: RequestStore, in parent: RequestStore?) -> Record? {
        guard let (place, spare, removed) = shelf.withLock({ $0.open(limit: Self.openLimit) }) else { return nil }
        removed?.clear()
        let record = spare ?? Record(of: self)
        record.open(store, in: parent, at: place)
        if spare == nil { shelf.withLock { $0.put(record, at: place) } }
        return record
    }

    /// Moves a record whose store has closed.
    func closed(_ record: Record, at place: Int, size: Int) {
        var overdue = shelf.withLock { $0.close(record, at: place, size) }
        while let record = overdue {
            record.clear()
            overdue = shelf.withLock { $0.removeOverdue() }
        }
    }

    /// Lets go of the record of an open store, which is not to be seen.
    func hide(_ store: RequestStore) {
        for case let record as Record in store.logs where record.recorder === self { hide(record) }
    }

    /// The same of its record.
    func hide(_ record: Record) {
        if let place = record.clear(onlyOpen: true) { shelf.withLock { $0.remove(at: place) } }
    }

    /// Counts one more part, if there is room for it.
    func admitsPart() -> Bool {
        guard parts.wrappingAdd(1, ordering: .relaxed).newValue > partLimit else { return true }
        parts.wrappingSubtract(1, ordering: .relaxed)
        return false
    }

    /// Lets go of everything, and keeps nothing from then on.
    func end() {
        for record in shelf.withLock({ $0.end() }) { record.clear() }
    }

    // MARK: Looking

    /// What is kept.
    struct Look: Sendable {
        /// To be given to the next look.
        let number: Int
        let timelines: [Timeline]
        /// How many are kept no longer, or were never.
        let forgotten: Int
    }

    /// Everything that is kept.
    func lookAtAll() -> Look {
        let number = look.wrappingAdd(1, ordering: .relaxed).newValue
        let (records, forgotten) = shelf.withLock { ($0.records, $0.forgotten) }
        return Look(number: number, timelines: records.compactMap { $0.look() }, forgotten: forgotten)
    }
}
#endif
