#if Inspector
import PerRequest
import Synchronization

/// Keeps the timelines of the stores that are open, and of those that have closed last.
///
/// It is on every request's path: an event finds its timeline at its store, and no lock is held for long. The one that all
/// requests share is taken only when one opens or closes. Once as many have closed as are kept, nearly nothing is allocated.
///
/// **Bounds.** So many timelines of closed stores, so many of open ones, and so many parts of all of them together.
final class Recorder: Sendable {
    /// How many stores can be open that are seen.
    static let openLimit = 2_000

    let capacity: Int
    /// How many parts are kept in all.
    let partLimit: Int
    private let shelf: Mutex<Shelf>
    private let parts = Atomic(0)
    /// The number of the look at all timelines that comes next: whoever looks again sees by it what has changed since.
    private let look = Atomic(0)

    init(capacity: Int) {
        self.capacity = max(capacity, 1)
        partLimit = self.capacity * 50 + 10_000
        shelf = Mutex(Shelf(capacity: self.capacity, partLimit: self.capacity * 50))
    }

    /// The time now, as events have it.
    var now: Time { Time(RequestEvent.start.duration(to: .now)) }

    /// Notes an event.
    ///
    /// What an error says of itself, and how a value is shown, is a user's code: it runs before anything is locked.
    func note(_ event: RequestEvent) {
        let now = Time(event.elapsed)
        switch event.kind {
        case .opened(let parent): open(event.store, parent, now)
        case .settled(let verdict): change(event) { $0.settled = (now, verdict) }
        case .closed(let outcome): close(event.store, outcome, now)

        case .acquiring(let acquisition): add(event) { $0.acquisitions.append(.init(acquisition, from: now)) }
        case .acquired(let acquisition): change(event) { $0.change(acquisition) { $0.acquired = now } }
        case .computed(let acquisition): change(event) { $0.change(acquisition) { $0.computed = now } }
        case .acquisitionFailed(let acquisition, let error):
            let error = describe(error)
            change(event) { $0.change(acquisition) { ($0.failed, $0.error) = (now, error) } }
        case .releasing(let acquisition, let verdict):
            change(event) { $0.change(acquisition) { $0.releasing = (now, verdict) } }
        case .released(let acquisition, let error):
            let error = error.map(describe)
            change(event) { $0.change(acquisition) { ($0.released, $0.releaseError) = (now, error) } }

        case .waitBegan(let call): add(event) { $0.calls.append(.init(call, isUse: false, from: now)) }
        case .waitEnded(let call, let error):
            let error = error.map(describe)
            change(event) { $0.end(call, now, error) }
        case .useBegan(let call): add(event) { $0.calls.append(.init(call, isUse: true, from: now)) }
        case .useEnded(let call): change(event) { $0.end(call, now, nil) }

        case .limitPassed(let limit): add(event) { $0.limits.append(.init(limit, at: now)) }

        case .jobAdmitted(let job): add(event) { $0.jobs.append(.init(job, admitted: now)) }
        case .jobStarted(let job, let store):
            change(event) { $0.change(job) { ($0.started, $0.store) = (now, store.identity) } }
        case .jobEnded(let job, let end):
            let error: String? = if case .failed(let error) = end { describe(error) } else { nil }
            change(event) { $0.change(job) { ($0.ended, $0.end, $0.error) = (now, .init(end), error) } }

        case .serving(let served):
            let served = served.bounded
            change(event) { $0.served = served }
        case .entered(let phase):
            let values = phase == .settling || phase == .closing ? event.store.presentValues : []
            add(event) { $0.phases.append((phase, now)) }
            if !values.isEmpty { change(event) { $0.note(values, admits: admitsPart) } }
        }
    }

    /// Changes the timeline of an event's store, if it is kept.
    @inline(__always)
    private func change(_ event: RequestEvent, _ body: (inout Timeline) -> Void) {
        record(of: event.store)?.timeline.withLock { timeline in
            guard timeline.isKept else { return }
            timeline.changed = look.load(ordering: .relaxed)
            body(&timeline)
        }
    }

    /// Adds a part, if there is room for one more.
    @inline(__always)
    private func add(_ event: RequestEvent, _ body: (inout Timeline) -> Void) {
        change(event) { if $0.isAdmitted(admitsPart) { body(&$0) } }
    }

    @inline(__always)
    private func record(of store: RequestStore) -> Record? {
        guard let last = store.attachment as? Record else { return nil }
        return last.isOf(self) ? last : last.earlier(of: self)
    }

    private func admitsPart() -> Bool {
        guard parts.wrappingAdd(1, ordering: .relaxed).newValue > partLimit else { return true }
        parts.wrappingSubtract(1, ordering: .relaxed)
        return false
    }

    private func open(_ store: RequestStore, _ parent: RequestStore?, _ now: Time) {
        let other = store.attachment as? Record
        guard let (place, spare) = shelf.withLock({ $0.open(limit: Self.openLimit, reusing: other == nil) }) else {
            return
        }
        let record = spare ?? Record(of: self, before: other)
        record.timeline.withLock { timeline in
            timeline.open(store, parent: parent, at: now, place)
            timeline.changed = look.load(ordering: .relaxed)
        }
        store.attachment = record
        if spare == nil { shelf.withLock { $0.put(record, at: place) } }
    }

    private func close(_ store: RequestStore, _ outcome: RequestOutcome, _ now: Time) {
        guard let record = record(of: store) else { return }
        let end = Timeline.End(outcome, of: store, at: now)
        // The store is let go without the lock.
        let closed: (store: RequestStore?, place: Int, parts: Int)? = record.timeline.withLock { timeline in
            guard timeline.isKept else { return nil }
            timeline.changed = look.load(ordering: .relaxed)
            return (timeline.close(end), timeline.place, timeline.parts)
        }
        guard let (_, place, count) = closed else { return }
        var overdue = shelf.withLock { $0.close(record, at: place, count) }
        while let record = overdue {
            parts.wrappingSubtract(record.timeline.withLock { $0.clear() }.parts, ordering: .relaxed)
            overdue = shelf.withLock { shelf in
                shelf.giveBack(record)
                return shelf.removeOverdue()
            }
        }
    }

    /// Lets go of the timeline of an open store, which is not to be seen.
    func hide(_ store: RequestStore) {
        let hidden: (store: RequestStore?, place: Int, parts: Int)? = record(of: store)?.timeline.withLock { timeline in
            guard timeline.isKept, timeline.isOpen else { return nil }
            let place = timeline.place
            let (store, parts) = timeline.clear()
            return (store, place, parts)
        }
        guard let (_, place, count) = hidden else { return }
        parts.wrappingSubtract(count, ordering: .relaxed)
        shelf.withLock { $0.remove(at: place) }
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
        let timelines = records.compactMap { record in record.timeline.withLock { $0.isKept ? $0 : nil } }
        return Look(number: number, timelines: timelines, forgotten: forgotten)
    }
}
#endif
