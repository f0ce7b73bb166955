#if Inspector
import PerRequest

/// What is kept as trace events of Chrome's format, which Perfetto opens.
///
/// All is one process. A request has a row, and below it one for each acquisition, call and job: what overlaps has to be in
/// different rows.
struct Trace {
    private struct Event {
        let name: String
        let category: StaticString
        let row: Int
        let from: Int
        let duration: Int
        let arguments: [(StaticString, String?)]
    }

    private var rows: [String] = []
    private var events: [Event] = []
    private let snapshot: Snapshot

    /// - Parameter number: The one store that it is of; `nil` for all.
    init(_ snapshot: Snapshot, only number: Int?) {
        self.snapshot = snapshot
        for timeline in snapshot.timelines.reversed() where number == nil || number == timeline.number { add(timeline) }
    }

    private mutating func add(_ timeline: Timeline) {
        let served = timeline.served.map { "\($0.method) \($0.route ?? "")" } ?? "store"
        let row = addRow("\(served) \(timeline.name)")
        let end = timeline.end?.at
        let ending: [(StaticString, String?)] = [
            ("id", "\(timeline.number)"), ("name", timeline.name), ("outcome", timeline.end?.ending.rawValue),
            ("error", timeline.end?.error),
        ]
        add(served, "request", row, timeline.opened, end, ending)
        for (index, phase) in timeline.phases.enumerated() {
            add("\(phase.phase)", "phase", row, phase.from, timeline.phases.dropFirst(index + 1).first?.from ?? end)
        }
        for acquisition in timeline.acquisitions { add(acquisition, timeline) }
        for call in timeline.calls {
            let kind = call.isUse ? "use" : "wait"
            let row = addRow("  \(kind) \(call.key)")
            let arguments = [("askedAt" as StaticString, call.askedAt.text), ("error", call.error)]
            add("\(kind) \(call.key)", "call", row, call.from, call.to, arguments)
        }
        for job in timeline.jobs {
            let row = addRow("  job \(job.name)")
            add("wait for \(job.name)", "job", row, job.admitted, job.started ?? job.ended)
            if let started = job.started { add(job.name, "job", row, started, job.ended, [("error", job.error)]) }
        }
    }

    private mutating func add(_ acquisition: Timeline.Acquisition, _ timeline: Timeline) {
        let row = addRow("  \(acquisition.key)")
        let (key, end) = (acquisition.key, timeline.end?.at)
        let place: [(StaticString, String?)] = [
            ("askedAt", acquisition.askedAt.text), ("declaration", acquisition.declaration?.text),
            ("error", acquisition.error),
        ]
        let arrived = acquisition.acquired ?? acquisition.computed ?? acquisition.failed
        add("acquire \(key)", "acquisition", row, acquisition.from, arrived ?? end, place)
        guard let acquired = acquisition.acquired else { return }
        let releasing = acquisition.releasing?.at
        add("hold \(key)", "acquisition", row, acquired, releasing ?? acquisition.released ?? end)
        guard let releasing else { return }
        let result = [("error" as StaticString, acquisition.releaseError)]
        add("release \(key)", "acquisition", row, releasing, acquisition.released ?? end, result)
    }

    private mutating func addRow(_ name: String) -> Int {
        rows.append(name)
        return rows.count
    }

    /// Adds what lasted until `end`, or lasts.
    private mutating func add(
        _ name: String,
        _ category: StaticString,
        _ row: Int,
        _ start: Moment,
        _ end: Moment?,
        _ arguments: [(StaticString, String?)] = []
    ) {
        let from = start.microseconds
        let duration = max((end ?? snapshot.now).microseconds - from, 0)
        let arguments = end == nil ? arguments + [("open", "yes")] : arguments
        events.append(
            Event(name: name, category: category, row: row, from: from, duration: duration, arguments: arguments)
        )
    }

    func write(_ json: inout JSON) {
        json.object { json in
            json.field("displayTimeUnit", "ms")
            json.field("traceEvents") { json in
                json.array(0..<rows.count + events.count) { json, index in
                    if index < rows.count { writeRow(index, &json) } else { write(events[index - rows.count], &json) }
                }
            }
        }
    }

    private func writeRow(_ index: Int, _ json: inout JSON) {
        json.object { json in
            json.field("ph", "M")
            json.field("name", "thread_name")
            json.field("pid", 1)
            json.field("tid", index + 1)
            json.field("args") { $0.object { $0.field("name", rows[index]) } }
        }
    }

    private func write(_ event: Event, _ json: inout JSON) {
        json.object { json in
            json.field("ph", "X")
            json.field("name", event.name)
            json.field("cat", "\(event.category)")
            json.field("pid", 1)
            json.field("tid", event.row)
            json.field("ts", event.from)
            json.field("dur", event.duration)
            json.field("args") { json in
                json.object { json in for (name, value) in event.arguments { json.field(name, value) } }
            }
        }
    }
}
#endif
