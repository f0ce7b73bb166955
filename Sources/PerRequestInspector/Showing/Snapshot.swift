#if Inspector
import PerRequest

/// What is kept at a moment, to be shown: the newest first.
///
/// It refers to no store.
struct Snapshot: Sendable {
    /// To be given to the next one, to know what has changed since.
    let look: Int
    let forgotten: Int
    let timelines: [Timeline]
    let now: Moment
    /// Which request left a job, by the number of the job's own store.
    let leavers: [Int: Int]
    private let names: [Int32: String]

    init(_ look: Recorder.Look, at now: Moment) {
        self.look = look.number
        forgotten = look.forgotten
        self.now = now
        timelines = look.timelines.map(\.shown).sorted { ($0.opened, $0.number) > ($1.opened, $1.number) }
        var leavers: [Int: Int] = [:]
        for timeline in timelines {
            for job in timeline.jobs { if let store = job.store { leavers[store] = timeline.number } }
        }
        self.leavers = leavers
        names = RequestStore.names(of: Set(timelines.flatMap(\.tags)))
    }

    /// The values of a store, with the names of their keys, as far as they are shown.
    func values(_ timeline: Timeline) -> [(name: String, shown: String?)] {
        timeline.tags.compactMap { tag in names[tag].map { ($0.bounded(), timeline.shownValues[tag]) } }
            .sorted { $0.name < $1.name }
    }
}

extension Duration {
    var microseconds: Int {
        let parts = components
        return Int(parts.seconds) * 1_000_000 + Int(parts.attoseconds / 1_000_000_000_000)
    }
}

extension RequestEvent.Acquisition.ID {
    /// What it is called outside.
    var text: String { "\(numbers.request).\(numbers.entry)" }
}

extension RequestEvent.Limit.Subject {
    var text: String {
        switch self {
        case .acquisition: "acquisition"
        case .cancellation: "cancellation"
        case .use: "use"
        case .release: "release"
        case .hold: "hold"
        case .point(.beforeResponse): "beforeResponse"
        case .point(.afterResponse): "afterResponse"
        }
    }
}
#endif
