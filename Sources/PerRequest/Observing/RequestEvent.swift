/// Something that happened to a request or in its store, as a ``RequestObserver`` is told of it.
///
/// **Order.** A store's `opened` is its first event and `closed` its last one; a child's `closed` precedes its parent's. Every
/// start has exactly one end: `acquiring` ends as `acquired`, `computed` or `acquisitionFailed`, `acquired` as `released`,
/// `useBegan` as `useEnded`, `waitBegan` as `waitEnded`, `jobAdmitted` as `jobEnded`. A resource is acquired before it is used or
/// released, its release begins after the last use, and both are over before its store closes. Only this is told after the
/// `closed` of its store: the end of a wait, when its task gets to run; the end of a use whose `around` function had ended; what
/// becomes of jobs; a limit that passed at the same moment.
///
/// A release that overran its limit is told as `released` when it really ends, and the store closes after that. The request
/// itself may have ended before.
///
/// **Lifetime.** An event may be kept. It keeps no request open, but the memory of its store: keep ``RequestStore/id`` where many
/// are kept.
public struct RequestEvent: Sendable {
    package let fact: Fact
    private let core: StoreCore
    private let moment = Moment.now

    init(_ fact: Fact, in core: StoreCore) {
        self.fact = fact
        self.core = core
    }

    /// What happened.
    public var kind: Kind { fact.kind }

    /// The store that it happened in: for a resource, the one that owns it; for a job, the one that it is left by.
    public var store: RequestStore { RequestStore(core: core) }

    /// When it happened, on a clock that never goes back: what lies between two events is a duration.
    public var instant: ContinuousClock.Instant { moment.instant }

    /// The acquisition that it is about, if it is about one.
    public var acquisition: Acquisition? {
        switch kind {
        case .acquiring(let acquisition), .acquired(let acquisition), .computed(let acquisition),
            .acquisitionFailed(let acquisition, _), .releasing(let acquisition, _), .released(let acquisition, _):
            acquisition
        case .waitBegan(let call), .waitEnded(let call, _), .useBegan(let call), .useEnded(let call): call.acquisition
        case .limitPassed(let limit): limit.acquisition
        case .opened, .settled, .closed, .jobAdmitted, .jobStarted, .jobEnded, .serving, .entered: nil
        }
    }
}
