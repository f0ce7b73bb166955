#if Inspector
import PerRequest
import Synchronization

/// Keeps the timelines of the stores that are open, and of those that have closed last.
///
/// It is on every request's path: nothing is made here but what is kept, and no lock is held for long. A request finds its
/// timeline in one of several shards, so that those of many cores seldom meet.
///
/// **Bounds.** So many timelines of closed stores, so many of open ones, and so many parts of all of them together.
final class Recorder: Sendable {
    /// What is kept of the stores whose numbers have the same lowest bits.
    private final class Shard: Sendable {
        let timelines = Mutex<[Int: Timeline]>([:])
    }

    /// How many stores can be open that are seen.
    static let openLimit = 2_000

    private let start = ContinuousClock.now
    let capacity: Int
    /// How many parts are kept in all.
    let partLimit: Int
    private let shards = (0..<16).map { _ in Shard() }
    private let closed: Mutex<Ring>
    private let open = Atomic(0)
    private let parts = Atomic(0)
    private let unseen = Atomic(0)
    /// The number of the look at all timelines that comes next: whoever looks again sees by it what has changed since.
    private let look = Atomic(0)

    init(capacity: Int) {
        self.capacity = max(capacity, 1)
        partLimit = self.capacity * 50 + 10_000
        closed = Mutex(Ring(capacity: self.capacity, partLimit: self.capacity * 50))
    }

    private func shard(_ number: Int) -> Shard { shards[number & 15] }

    /// The time now, as events have it.
    var now: Time { time(.now) }

    private func time(_ instant: ContinuousClock.Instant) -> Time { Time(start.duration(to: instant)) }

    /// Notes an event.
    func note(_ event: RequestEvent) {
        let (number, now) = (event.store.identity, time(event.instant))
        switch event.kind {
        case .opened(let parent): open(event.store, parent, now)
        case .closed(let outcome): close(event.store, outcome, now)
        case .entered(.settling), .entered(.closing): change(number, event.kind, now, values: event.store.presentValues)
        case .acquisitionFailed(_, let error), .released(_, let error?), .waitEnded(_, let error?),
            .jobEnded(_, .failed(let error)):
            change(number, event.kind, now, describe(error))
        default: change(number, event.kind, now)
        }
    }

    private func change(
        _ number: Int,
        _ kind: RequestEvent.Kind,
        _ now: Time,
        _ error: String? = nil,
        values: [Timeline.Value] = []
    ) {
        shard(number).timelines.withLock { timelines in
            guard let index = timelines.index(forKey: number) else { return }
            note(kind, now, error, values, in: &timelines.values[index])
        }
    }

    private func note(
        _ kind: RequestEvent.Kind,
        _ now: Time,
        _ error: String?,
        _ values: [Timeline.Value],
        in timeline: inout Timeline
    ) {
        timeline.changed = look.load(ordering: .relaxed)
        timeline.note(kind, at: now, error, admits: admitsPart)
        if !values.isEmpty { timeline.note(values, admits: admitsPart) }
    }

    private func admitsPart() -> Bool {
        guard parts.add(1, ordering: .relaxed).newValue > partLimit else { return true }
        parts.subtract(1, ordering: .relaxed)
        return false
    }

    private func open(_ store: RequestStore, _ parent: RequestStore?, _ now: Time) {
        guard open.add(1, ordering: .relaxed).newValue <= Self.openLimit else {
            open.subtract(1, ordering: .relaxed)
            unseen.add(1, ordering: .relaxed)
            return
        }
        var timeline = Timeline(store, parent: parent, at: now)
        shard(store.identity).timelines.withLock { timelines in
            timeline.changed = look.load(ordering: .relaxed)
            timelines[store.identity] = timeline
        }
    }

    private func close(_ store: RequestStore, _ outcome: RequestOutcome, _ now: Time) {
        let number = store.identity
        let end = Timeline.End(outcome, of: store, at: now)
        let closed: (store: RequestStore?, parts: Int)? = shard(number).timelines.withLock { timelines in
            guard let index = timelines.index(forKey: number) else { return nil }
            return close(&timelines.values[index], end)
        }
        guard let parts = closed?.parts else { return }
        open.subtract(1, ordering: .relaxed)
        var next = self.closed.withLock { $0.add(number, parts) }
        while let number = next {
            forget(number)
            next = self.closed.withLock { $0.removeOverdue() }
        }
    }

    /// - Returns: The store, to be let go without the lock, and how many parts it has.
    private func close(_ timeline: inout Timeline, _ end: Timeline.End) -> (store: RequestStore?, parts: Int) {
        timeline.changed = look.load(ordering: .relaxed)
        return (timeline.close(end), timeline.parts)
    }

    /// Lets go of the timeline of a closed store.
    private func forget(_ number: Int) {
        let timeline = shard(number).timelines.withLock { $0.removeValue(forKey: number) }
        if let timeline { parts.subtract(timeline.parts, ordering: .relaxed) }
    }

    /// Lets go of the timeline of an open store, which is not to be seen.
    func hide(_ store: RequestStore) {
        let timeline = shard(store.identity).timelines.withLock { timelines in
            timelines[store.identity]?.end == nil ? timelines.removeValue(forKey: store.identity) : nil
        }
        guard let timeline else { return }
        open.subtract(1, ordering: .relaxed)
        parts.subtract(timeline.parts, ordering: .relaxed)
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
        let number = look.add(1, ordering: .relaxed).newValue
        var timelines: [Timeline] = []
        for shard in shards { shard.timelines.withLock { timelines += $0.values } }
        let forgotten = closed.withLock { $0.forgotten }
        return Look(number: number, timelines: timelines, forgotten: forgotten + unseen.load(ordering: .relaxed))
    }
}
#endif
