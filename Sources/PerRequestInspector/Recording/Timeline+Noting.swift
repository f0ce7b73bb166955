#if Inspector
import PerRequest

extension Timeline {
    /// Notes what has happened.
    mutating func note(_ fact: RequestEvent.Fact, at now: Moment, _ recorder: Recorder) {
        if case .served(let served) = fact.subject { self.served = served.bounded }
        note(fact.kind, nil, at: now, recorder)
    }

    /// Notes what has happened.
    ///
    /// - Parameters:
    ///   - kind: What has happened.
    ///   - error: What its error says of itself, if it has one.
    ///   - now: When it happened.
    ///   - recorder: Where each part is counted.
    mutating func note(_ kind: RequestEvent.Kind, _ error: String?, at now: Moment, _ recorder: Recorder) {
        switch kind {
        // Noted where the store is known.
        case .opened, .closed, .serving: break
        case .settled(let verdict):
            settled = (now, verdict)
            // Where it settles at once, that is not said.
            if phases.last.map({ $0.phase == .routing || $0.phase == .handler }) ?? true {
                enter(.settling, now, recorder)
            }
        case .entered(.closing) where phases.last?.phase == .closing: break
        case .entered(let phase): enter(phase, now, recorder)

        case .acquiring(let acquisition):
            if isAdmitted(recorder) { acquisitions.append(Acquisition(acquisition, from: now)) }
        case .acquired(let acquisition): change(acquisition) { $0.acquired = now }
        case .computed(let acquisition): change(acquisition) { $0.computed = now }
        case .acquisitionFailed(let acquisition, _): change(acquisition) { ($0.failed, $0.error) = (now, error) }
        case .releasing(let acquisition, let verdict): change(acquisition) { $0.releasing = (now, verdict) }
        case .released(let acquisition, _): change(acquisition) { ($0.released, $0.releaseError) = (now, error) }

        case .waitBegan(let call): if isAdmitted(recorder) { calls.append(Call(call, isUse: false, from: now)) }
        case .useBegan(let call): if isAdmitted(recorder) { calls.append(Call(call, isUse: true, from: now)) }
        case .waitEnded(let call, _), .useEnded(let call): change(call) { ($0.to, $0.error) = (now, error) }

        case .limitPassed(let limit): if isAdmitted(recorder) { limits.append(Limit(limit, at: now)) }

        case .jobAdmitted(let job): if isAdmitted(recorder) { jobs.append(Job(job, admitted: now)) }
        case .jobStarted(let job, let store): change(job) { ($0.started, $0.store) = (now, store.identity) }
        case .jobEnded(let job, let end): change(job) { ($0.ended, $0.end, $0.error) = (now, .init(end), error) }
        }
    }

    /// Notes the phase in which it closed: where it closed at once, that is not said.
    mutating func noteClosing(_ recorder: Recorder) {
        if let end, phases.last?.phase != .closing { enter(.closing, end.at, recorder) }
    }

    private mutating func enter(_ phase: RequestEvent.Phase, _ now: Moment, _ recorder: Recorder) {
        if isAdmitted(recorder) { phases.append((phase, now)) }
    }

    // What there is an end of began not long ago, as a rule: the last one comes first.

    private mutating func change(_ acquisition: RequestEvent.Acquisition, _ body: (inout Acquisition) -> Void) {
        guard let index = acquisitions.lastIndex(where: { $0.id == acquisition.id }) else { return }
        body(&acquisitions[index])
    }

    private mutating func change(_ call: RequestEvent.Call, _ body: (inout Call) -> Void) {
        guard let index = calls.lastIndex(where: { $0.call.id == call.id && $0.to == nil }) else { return }
        body(&calls[index])
    }

    private mutating func change(_ job: RequestEvent.Job, _ body: (inout Job) -> Void) {
        guard let index = jobs.lastIndex(where: { $0.id == job.id }) else { return }
        body(&jobs[index])
    }
}
#endif
