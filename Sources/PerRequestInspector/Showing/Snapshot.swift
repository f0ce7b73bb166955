#if Inspector
import PerRequest

/// What is kept at a moment, to be shown: the newest first.
struct Snapshot: Sendable {
    let look: Recorder.Look
    let timelines: [Timeline]
    let start: Timeline.Instant
    let now: Timeline.Instant
    /// Which request left a job, by the number of the job's own store.
    let leavers: [Int: Int]
    private let names: [Int32: String]

    init(_ look: Recorder.Look, since start: Timeline.Instant, at now: Timeline.Instant = .now) {
        self.look = look
        self.start = start
        self.now = now
        timelines = look.timelines.sorted { ($0.opened, $0.number) > ($1.opened, $1.number) }
        var leavers: [Int: Int] = [:]
        for timeline in timelines {
            for job in timeline.jobs { if let store = job.store { leavers[store] = timeline.number } }
        }
        self.leavers = leavers
        names = RequestStore.names(of: Set(timelines.flatMap { $0.shownValues.map(\.tag) }))
    }

    /// Microseconds since the inspector was made.
    func time(_ instant: Timeline.Instant) -> Int { start.duration(to: instant).microseconds }

    func time(_ instant: Timeline.Instant?) -> Int? { instant.map { time($0) } }

    /// The values of a store, with the names of their keys, as far as they are shown.
    func values(_ timeline: Timeline) -> [(name: String, shown: String?)] {
        timeline.shownValues.compactMap { value in names[value.tag].map { ($0.bounded(), value.shown) } }
            .sorted { $0.name < $1.name }
    }
}

extension Timeline {
    /// Whether it is a store's that is open.
    var isOpen: Bool { end == nil }

    /// The request's id, as the application has it.
    var name: String { end?.name ?? store?.id.bounded() ?? "" }

    /// The values that have been set, of an open store those that are set now.
    ///
    /// It runs a user's code.
    var shownValues: [(tag: Int32, shown: String?)] {
        let present = store.map { $0.inspectedValues(limit: 32) } ?? []
        return present.isEmpty ? values : present.map { ($0.tag, $0.shown?.bounded()) }
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
