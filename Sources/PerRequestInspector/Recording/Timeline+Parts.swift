#if Inspector
import PerRequest

extension Timeline {
    /// How a store ended.
    struct End: Sendable {
        let at: Time
        /// What gives the request's id.
        let name: any CustomStringConvertible & Sendable
        let verdict: RequestOutcome.Verdict
        let status: RequestStatus?
        let outcome: String
        let error: String?

        init(_ outcome: RequestOutcome, of store: RequestStore, at time: Time) {
            at = time
            name =
                switch store.identification {
                case let text as String: text.bounded()
                case let name: name
                }
            verdict = outcome.verdict
            status = outcome.status
            (self.outcome, error) =
                switch outcome.ending {
                case .completed: ("completed", nil)
                case .failed(let error): ("failed", describe(error))
                case .clientDisconnected: ("clientDisconnected", nil)
                case .cancelled: ("cancelled", nil)
                case .abandoned: ("abandoned", nil)
                }
        }
    }

    /// An acquisition, and what became of it.
    struct Acquisition: Sendable {
        let id: RequestEvent.Acquisition.ID
        let key: String
        let declaration: SourcePosition?
        let askedAt: SourcePosition
        let inside: RequestEvent.Acquisition.ID?
        let from: Time
        var acquired, computed, failed, released: Time?
        var releasing: (at: Time, verdict: RequestOutcome.Verdict)?
        var error, releaseError: String?

        init(_ acquisition: RequestEvent.Acquisition, from time: Time) {
            id = acquisition.id
            key = acquisition.key.bounded()
            declaration = acquisition.declaration
            askedAt = acquisition.askedAt
            inside = acquisition.inside
            from = time
        }

        var isUnderWay: Bool { acquired == nil && computed == nil && failed == nil }
        var isHeld: Bool { acquired != nil && released == nil }
    }

    /// A caller that waits or uses.
    struct Call: Sendable {
        let id: RequestEvent.Call.ID
        let acquisition: RequestEvent.Acquisition.ID
        let key: String
        let isUse: Bool
        let askedAt: SourcePosition
        let inside: RequestEvent.Acquisition.ID?
        let from: Time
        var to: Time?
        var error: String?

        init(_ call: RequestEvent.Call, isUse: Bool, from time: Time) {
            id = call.id
            acquisition = call.acquisition.id
            key = call.acquisition.key.bounded()
            self.isUse = isUse
            askedAt = call.askedAt
            inside = call.inside
            from = time
        }
    }

    /// Work for after the response.
    struct Job: Sendable {
        enum End: String, Sendable {
            case done, failed, cut, withdrawn

            init(_ end: RequestEvent.Job.End) {
                self =
                    switch end {
                    case .done: .done
                    case .failed: .failed
                    case .cut: .cut
                    case .withdrawn: .withdrawn
                    }
            }
        }

        let id: RequestEvent.Job.ID
        let name: String
        let admitted: Time
        var started, ended: Time?
        var end: End?
        var error: String?
        /// The number of its own store.
        var store: Int?

        init(_ job: RequestEvent.Job, admitted time: Time) {
            id = job.id
            name = job.name.bounded()
            admitted = time
        }
    }

    /// A time limit that has passed.
    struct Limit: Sendable {
        let subject: RequestEvent.Limit.Subject
        let acquisition: RequestEvent.Acquisition.ID?
        let duration: Duration
        let at: Time

        init(_ limit: RequestEvent.Limit, at time: Time) {
            subject = limit.subject
            acquisition = limit.acquisition?.id
            duration = limit.duration
            at = time
        }
    }
}

/// All that an error says of itself, up to a length.
///
/// It runs a user's code: not under a lock.
func describe(_ error: any Error) -> String { String(reflecting: error).bounded(500) }
#endif
