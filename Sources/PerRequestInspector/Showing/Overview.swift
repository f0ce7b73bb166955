#if Inspector
import PerRequest

/// What is held, waited for and overdue at a moment.
struct Overview {
    struct Pool {
        var holding = 0
        var acquiring = 0
        var waiting = 0
        /// The longest wait: since when, and of which store.
        var longest: (since: Moment, number: Int)?

        mutating func wait(since time: Moment, of number: Int) {
            if longest.map({ time < $0.since }) ?? true { longest = (time, number) }
        }
    }

    private(set) var open = 0
    private(set) var pools: [String: Pool] = [:]
    private(set) var held: [(acquisition: Timeline.Acquisition, number: Int, isOverdue: Bool)] = []
    private(set) var overdue: [(key: String?, number: Int, limit: Timeline.Limit)] = []
    /// What was held where a store was dropped while it was open.
    private(set) var leaks: [(acquisition: Timeline.Acquisition?, number: Int, at: Moment)] = []

    init(_ snapshot: Snapshot) {
        for timeline in snapshot.timelines { add(timeline) }
        held.sort { $0.acquisition.from < $1.acquisition.from }
        overdue.sort { $0.limit.at < $1.limit.at }
    }

    private mutating func add(_ timeline: Timeline) {
        if let end = timeline.end {
            guard end.ending == .abandoned else { return }
            let left = timeline.acquisitions.filter { $0.acquired != nil }
            leaks +=
                left.isEmpty ? [(nil, timeline.number, end.at)] : left.map { ($0, timeline.number, end.at) }
            return
        }
        open += 1
        var keys: [RequestEvent.Acquisition.ID: String] = [:]
        for acquisition in timeline.acquisitions {
            keys[acquisition.id] = acquisition.key
            if acquisition.isHeld {
                pools[acquisition.key, default: Pool()].holding += 1
                let isOverdue = timeline.limits.contains { $0.acquisition == acquisition.id && $0.isOverdue(timeline) }
                held.append((acquisition, timeline.number, isOverdue))
            } else if acquisition.isUnderWay {
                pools[acquisition.key, default: Pool()].acquiring += 1
                pools[acquisition.key]?.wait(since: acquisition.from, of: timeline.number)
            }
        }
        for call in timeline.calls where call.to == nil && !call.isUse {
            pools[call.key, default: Pool()].waiting += 1
            pools[call.key]?.wait(since: call.from, of: timeline.number)
        }
        for limit in timeline.limits where limit.isOverdue(timeline) {
            overdue.append((limit.acquisition.flatMap { keys[$0] }, timeline.number, limit))
        }
    }

    func write(_ json: inout JSON) {
        json.object { json in
            json.field("open", open)
            json.field("held", held) { json, held in
                json.object { json in
                    json.field("key", held.acquisition.key)
                    json.field("declaration", held.acquisition.declaration?.text)
                    json.field("request", "\(held.number)")
                    json.field("acquisition", held.acquisition.id.text)
                    json.field("since", held.acquisition.acquired)
                    json.field("askedAt", held.acquisition.askedAt.text)
                    json.field("overdue", held.isOverdue)
                }
            }
            json.field("waiting", waiting) { json, wait in
                json.object { json in
                    json.field("key", wait.key)
                    json.field("waiters", wait.pool.waiting + wait.pool.acquiring)
                    json.field("longestSince", wait.longest.since)
                    json.field("request", "\(wait.longest.number)")
                }
            }
            json.field("pools", pools.sorted { $0.key < $1.key }) { json, pool in
                json.object { json in
                    json.field("key", pool.key)
                    json.field("holding", pool.value.holding)
                    json.field("acquiring", pool.value.acquiring)
                    json.field("waiting", pool.value.waiting)
                }
            }
            json.field("overdue", overdue) { json, overdue in
                json.object { json in
                    json.field("key", overdue.key)
                    json.field("request", "\(overdue.number)")
                    json.field("what", overdue.limit.subject.text)
                    json.field("limit", overdue.limit.duration.microseconds)
                    json.field("at", overdue.limit.at)
                }
            }
            json.field("leaks", leaks) { json, leak in
                json.object { json in
                    json.field("request", "\(leak.number)")
                    json.field("key", leak.acquisition?.key)
                    json.field("declaration", leak.acquisition?.declaration?.text)
                    json.field("askedAt", leak.acquisition?.askedAt.text)
                    json.field("at", leak.at)
                }
            }
        }
    }

    /// The keys that are waited for, the longest wait first.
    private var waiting: [(key: String, pool: Pool, longest: (since: Moment, number: Int))] {
        pools.compactMap { key, pool in pool.longest.map { (key, pool, $0) } }
            .sorted { $0.longest.since < $1.longest.since }
    }
}

extension Timeline.Limit {
    /// Whether what it limits has not ended yet.
    func isOverdue(_ timeline: Timeline) -> Bool {
        guard timeline.isOpen else { return false }
        guard let acquisition, let found = timeline.acquisitions.last(where: { $0.id == acquisition }) else {
            return subject != .point(.beforeResponse) || timeline.settled == nil
        }
        return switch subject {
        case .acquisition, .cancellation: found.isUnderWay
        case .use: found.isHeld && found.releasing == nil
        case .release, .hold, .point: found.isHeld
        }
    }
}
#endif
