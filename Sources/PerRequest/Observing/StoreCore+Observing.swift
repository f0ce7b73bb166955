import Synchronization

// What observers are told. Whoever tells asks first whether anybody listens: describing what happened costs.

extension StoreCore {
    var isObserved: Bool { configuration.isObserved }

    /// Tells the observers, who must not be told under a lock: all but that the store opened or closed, or of a phase.
    ///
    /// Nothing here is inlined: the frames of asynchronous functions would be too large for what their tasks have at hand.
    @inline(never)
    func tell(_ fact: RequestEvent.Fact) {
        log?.note(fact)
        tellListeners(fact)
    }

    /// Tells those observers who are told, and do not keep a log.
    @inline(__always)
    func tellListeners(_ fact: @autoclosure () -> RequestEvent.Fact) {
        if configuration.hasListeners { configuration.tell(RequestEvent(fact(), in: self)) }
    }

    /// Tells that the store was opened, of which nobody else knows yet.
    func tellOpened() {
        guard isObserved else { return }
        openLogs()
        tellListeners(.other(.opened(parent: nil)))
    }

    /// Tells that the store has closed: the last that is told of it.
    @inline(never)
    func tellClosed(_ outcome: RequestOutcome) {
        log?.close(outcome)
        tellListeners(.other(.closed(outcome)))
    }

    /// Tells the observers of what they have not been told.
    ///
    /// - Returns: Whether the last one is told: it has closed.
    func announce() -> Bool {
        guard let announcements else { return false }
        while let next = request.state.withLock({ _ in announcements.next() }) {
            if let outcome = next.end {
                tellClosed(outcome)
                return true
            }
            // A phase was noted when it began.
            if next.isOfOpenStore { tellListeners(next) } else { tell(next) }
        }
        return false
    }

    /// Tells the observers that the request has come to a phase, unless the store has closed, and what it asks for.
    func announce(_ phase: RequestEvent.Phase, _ served: RequestEvent.Served? = nil) {
        log?.note(.entered(phase, served))
        guard configuration.hasListeners else { return }
        if let served { announce(.serving(served)) }
        announce(.entered(phase))
    }

    /// Tells what the request asks for, unless the store has closed.
    func announce(_ served: RequestEvent.Served) {
        log?.note(.serving(served))
        announce(.serving(served))
    }

    /// Tells those who are told of something in its order among the phases.
    private func announce(_ fact: RequestEvent.Fact) {
        guard configuration.hasListeners, let announcements else { return }
        let isMine = request.state.withLock { state in
            guard state.lifecycle.phase(of: scope) != .closed else { return false }
            return announcements.admit(fact)
        }
        guard isMine else { return }
        tellListeners(fact)
        tellPhases()
    }

    /// Tells the observers of what they have not been told; the parent of a child that has closed goes on.
    func tellPhases() {
        if announce(), self is ChildCore { request.send(.told(scope)) }
    }

    // MARK: Acquisitions

    /// Tells of a value before it is published: nobody can release what is not, so that they hear of the release later.
    ///
    /// - Returns: Whether it is told: of an `around` function that ends while it hands in its value, what was first is.
    @discardableResult
    func observeArrival(_ acquisition: Acquisition, _ result: Result<AnyBox, any Error>) -> Bool {
        guard let observed = acquisition.observed else { return false }
        let isValue = if case .success = result { true } else { false }
        if acquisition.gate == nil {
            acquisition.valueIsTold = isValue
        } else {
            let isFirst = request.state.withLock { _ in
                guard !acquisition.arrivalIsTold else { return false }
                acquisition.arrivalIsTold = true
                acquisition.valueIsTold = isValue
                return true
            }
            guard isFirst else { return false }
        }
        switch result {
        case .success where acquisition.resource.form == .memo: tell(.computed(observed))
        case .success: tell(.acquired(observed))
        case .failure(let error): tell(.other(.acquisitionFailed(observed, error)))
        }
        return true
    }

    @inline(never)
    func observeRelease(_ acquisition: Acquisition, _ verdict: RequestOutcome.Verdict) {
        if let observed = acquisition.observed { tell(.releasing(observed, verdict)) }
    }

    /// Tells that a release has ended: before anything can follow from it on another thread, such as the end of the store.
    @inline(never)
    func observeReleased(_ acquisition: Acquisition, _ error: (any Error)?) {
        guard let observed = acquisition.observed, acquisition.valueIsTold, !acquisition.releaseIsTold else { return }
        acquisition.releaseIsTold = true
        tell(.released(observed, error))
    }

    // MARK: Calls

    /// A call, as observers are told of it; `nil` where nobody is, or what it is about has ended.
    @inline(never)
    func observed(_ call: Int, of entry: Int, from position: SourcePosition) -> ObservedCall? {
        guard isObserved else { return nil }
        let request = request
        let found: (StoreCore, RequestEvent.Acquisition)? = request.state.withLock { state in
            guard let acquisition = state.acquisitions[entry], let observed = acquisition.observed else { return nil }
            return (acquisition.core, observed)
        }
        guard let (owner, acquisition) = found else { return nil }
        let number = request.identity
        let inside = Ambient.surroundings?.innermostEntry(of: number)
        return ObservedCall(
            owner: owner,
            call: RequestEvent.Call(
                id: RequestEvent.Call.ID(request: number, call: call),
                acquisition: acquisition,
                askedAt: position,
                inside: inside.map { RequestEvent.Acquisition.ID(request: number, entry: $0) }
            )
        )
    }

    /// Tells that a body begins, whose end follows.
    func observeUse(_ call: Int, of entry: Int, from position: SourcePosition) -> ObservedCall? {
        let observed = observed(call, of: entry, from: position)
        observed?.useBegan()
        return observed
    }
}

/// A call whose end is to be told: an object, so that waiting for it takes no room where nobody observes.
final class ObservedCall: Sendable {
    private let owner: StoreCore
    private let call: RequestEvent.Call

    init(owner: StoreCore, call: RequestEvent.Call) {
        self.owner = owner
        self.call = call
    }

    @inline(never)
    func useBegan() { owner.tell(.useBegan(call)) }

    @inline(never)
    func useEnded() { owner.tell(.useEnded(call)) }

    @inline(never)
    func waitBegan() { owner.tell(.waitBegan(call)) }

    @inline(never)
    func waitEnded(_ error: (any Error)? = nil) { owner.tell(.waitEnded(call, error)) }
}
