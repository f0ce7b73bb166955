#if Inspector
import PerRequest

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension Snapshot {
    /// Everything, or one request.
    func write(_ json: inout JSON, startedAt: Date, capacity: Int, only number: Int? = nil) {
        json.object { json in
            json.field("now", now)
            json.field("startedAt", startedAt.ISO8601Format())
            json.field("capacity", capacity)
            json.field("forgotten", forgotten)
            json.field("overview") { Overview(self).write(&$0) }
            json.field("requests", timelines.filter { number == nil || $0.number == number }) { write($1, &$0) }
        }
    }

    /// What has changed since a look, and which stores are gone that were kept then.
    func writeChange(_ json: inout JSON, since last: Int, known: Set<Int>) {
        json.object { json in
            json.field("now", now)
            json.field("forgotten", forgotten)
            json.field("requests", timelines.filter { $0.changed >= last }) { write($1, &$0) }
            json.field("removed", known.subtracting(timelines.map(\.number)).sorted()) { $0.string("\($1)") }
            json.field("overview") { Overview(self).write(&$0) }
        }
    }

    /// One record.
    func write(_ timeline: Timeline, _ json: inout JSON) {
        json.object { json in
            json.field("id", "\(timeline.number)")
            json.field("name", timeline.name)
            json.field("kind", leavers[timeline.number] != nil ? "job" : timeline.parent != nil ? "child" : "request")
            json.field("parent", timeline.parent.map { "\($0)" })
            json.field("leftBy", leavers[timeline.number].map { "\($0)" })
            json.field("transport", timeline.served?.transport)
            json.field("method", timeline.served?.method)
            json.field("route", timeline.served?.route)
            json.field("opened", timeline.opened)
            json.field("settled", timeline.settled?.at)
            json.field("closed", timeline.end?.at)
            json.field("verdict", (timeline.end?.verdict ?? timeline.settled?.verdict)?.text)
            json.field("outcome", timeline.end?.ending.rawValue)
            json.field("status", timeline.end?.status?.code)
            json.field("error", timeline.end?.error)
            json.field("phases", timeline.phases.indices) { json, index in
                let next = timeline.phases.dropFirst(index + 1).first?.from ?? timeline.end?.at
                json.object { json in
                    json.field("name", "\(timeline.phases[index].phase)")
                    json.field("from", timeline.phases[index].from)
                    json.field("to", next)
                }
            }
            json.field("acquisitions", timeline.acquisitions) { write($1, of: timeline, &$0) }
            json.field("calls", timeline.calls) { write($1, &$0) }
            json.field("jobs", timeline.jobs) { write($1, &$0) }
            json.field("limits", timeline.limits.filter { $0.acquisition == nil }) { write($1, &$0) }
            json.field("values", values(timeline)) { json, value in
                json.object { json in
                    json.field("name", value.name)
                    json.field("value") { if let shown = value.shown { $0.string(shown) } else { $0.null() } }
                }
            }
            json.field("dropped", timeline.dropped)
        }
    }

    private func write(_ acquisition: Timeline.Acquisition, of timeline: Timeline, _ json: inout JSON) {
        json.object { json in
            json.field("id", acquisition.id.text)
            json.field("key", acquisition.key)
            json.field("declaration", acquisition.declaration?.text)
            json.field("askedAt", acquisition.askedAt.text)
            json.field("inside", acquisition.inside?.text)
            json.field("from", acquisition.from)
            json.field("acquired", acquisition.acquired)
            json.field("computed", acquisition.computed)
            json.field("failed", acquisition.failed)
            json.field("error", acquisition.error)
            json.field("releasing", acquisition.releasing?.at)
            json.field("verdict", acquisition.releasing?.verdict.text)
            json.field("released", acquisition.released)
            json.field("releaseError", acquisition.releaseError)
            json.field("limits", timeline.limits.filter { $0.acquisition == acquisition.id }) { write($1, &$0) }
        }
    }

    private func write(_ call: Timeline.Call, _ json: inout JSON) {
        json.object { json in
            json.field("acquisition", call.acquisition.text)
            json.field("kind", call.isUse ? "use" : "wait")
            json.field("key", call.key)
            json.field("from", call.from)
            json.field("to", call.to)
            json.field("askedAt", call.askedAt.text)
            json.field("inside", call.inside?.text)
            json.field("error", call.error)
            if !call.isUse { json.field("on", call.acquisition.text) }
        }
    }

    private func write(_ job: Timeline.Job, _ json: inout JSON) {
        json.object { json in
            json.field("name", job.name)
            json.field("admitted", job.admitted)
            json.field("started", job.started)
            json.field("ended", job.ended)
            json.field("end", job.end?.rawValue)
            json.field("error", job.error)
            json.field("request", job.store.map { "\($0)" })
        }
    }

    private func write(_ limit: Timeline.Limit, _ json: inout JSON) {
        json.object { json in
            json.field("what", limit.subject.text)
            json.field("limit", limit.duration.microseconds)
            json.field("at", limit.at)
        }
    }
}

extension RequestOutcome.Verdict {
    fileprivate var text: String {
        switch self {
        case .commit: "commit"
        case .rollback: "rollback"
        }
    }
}

extension RequestStatus {
    fileprivate var code: Int? {
        switch self {
        case .http(let code): code
        case .grpc(let code): code
        }
    }
}

extension SourcePosition {
    /// The file without its module, and the line.
    var text: String { "\(fileID.split(separator: "/").last ?? ""):\(line)".bounded() }
}
#endif
