#if Inspector
import PerRequest

extension Timeline {
    /// How a store ended.
    struct End: Sendable {
        enum Ending: String, Sendable {
            case completed, failed, clientDisconnected, cancelled, abandoned

            init(_ ending: RequestOutcome.Ending) {
                self =
                    switch ending {
                    case .completed: .completed
                    case .failed: .failed
                    case .clientDisconnected: .clientDisconnected
                    case .cancelled: .cancelled
                    case .abandoned: .abandoned
                    }
            }
        }

        let at: Moment
        /// What gives the request's id.
        let name: any CustomStringConvertible & Sendable
        let verdict: RequestOutcome.Verdict
        let status: RequestStatus?
        let ending: Ending
        let error: String?
    }

    /// An acquisition, and what became of it.
    struct Acquisition: Sendable {
        private let acquisition: RequestEvent.Acquisition
        let from: Moment
        var acquired, computed, failed, released: Moment?
        var releasing: (at: Moment, verdict: RequestOutcome.Verdict)?
        var error, releaseError: String?

        init(_ acquisition: RequestEvent.Acquisition, from time: Moment) {
            self.acquisition = acquisition
            from = time
        }

        var id: RequestEvent.Acquisition.ID { acquisition.id }
        var key: String { acquisition.key.bounded() }
        var declaration: SourcePosition? { acquisition.declaration }
        var askedAt: SourcePosition { acquisition.askedAt }
        var inside: RequestEvent.Acquisition.ID? { acquisition.inside }
        var isUnderWay: Bool { acquired == nil && computed == nil && failed == nil }
        var isHeld: Bool { acquired != nil && released == nil }
    }

    /// A caller that waits or uses.
    struct Call: Sendable {
        let call: RequestEvent.Call
        let isUse: Bool
        let from: Moment
        var to: Moment?
        var error: String?

        init(_ call: RequestEvent.Call, isUse: Bool, from time: Moment) {
            self.call = call
            self.isUse = isUse
            from = time
        }

        var acquisition: RequestEvent.Acquisition.ID { call.acquisition.id }
        var key: String { call.acquisition.key.bounded() }
        var askedAt: SourcePosition { call.askedAt }
        var inside: RequestEvent.Acquisition.ID? { call.inside }
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
        let admitted: Moment
        var started, ended: Moment?
        var end: End?
        var error: String?
        /// The number of its own store.
        var store: Int?

        init(_ job: RequestEvent.Job, admitted time: Moment) {
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
        let at: Moment

        init(_ limit: RequestEvent.Limit, at time: Moment) {
            subject = limit.subject
            acquisition = limit.acquisition?.id
            duration = limit.duration
            at = time
        }
    }
}

extension Moment {
    /// The moment from which those that are shown are counted.
    static let start = Moment.now

    /// How long it is after that.
    var microseconds: Int { Int(nanoseconds - Self.start.nanoseconds) / 1_000 }
}

/// All that an error says of itself, up to a length.
///
/// It runs a user's code: not under a lock.
func describe(_ error: any Error) -> String { String(reflecting: error).bounded(500) }
#endif
