extension RequestEvent {
    /// What happened, in two words: a ``Kind`` is made of it when somebody asks for one.
    ///
    /// A kind has room for all that can happen, and to make, copy and let go of one costs several times as much.
    package struct Fact: Sendable {
        /// What happened, where it happens often.
        package enum What: Sendable {
            case settled(RequestOutcome.Verdict)
            case acquiring, acquired, computed, released
            case releasing(RequestOutcome.Verdict)
            case waitBegan, waitEnded, useBegan, useEnded
            case serving
            case entered(Phase)
            /// All else: the kind is the subject.
            case other
        }

        /// What it happened to: an object in each case, or nothing.
        package enum Subject: Sendable {
            case store
            case acquisition(Acquisition)
            case call(Call)
            case served(Served)
            case other(Other)
        }

        /// A kind of which there is no other fact.
        package final class Other: Sendable {
            package let kind: Kind

            init(_ kind: Kind) { self.kind = kind }
        }

        package let what: What
        package let subject: Subject

        init(_ what: What, _ subject: Subject = .store) {
            self.what = what
            self.subject = subject
        }
    }
}

extension RequestEvent.Fact {
    static func settled(_ verdict: RequestOutcome.Verdict) -> Self { Self(.settled(verdict)) }
    static func acquiring(_ acquisition: RequestEvent.Acquisition) -> Self {
        Self(.acquiring, .acquisition(acquisition))
    }
    static func acquired(_ acquisition: RequestEvent.Acquisition) -> Self { Self(.acquired, .acquisition(acquisition)) }
    static func computed(_ acquisition: RequestEvent.Acquisition) -> Self { Self(.computed, .acquisition(acquisition)) }
    static func releasing(_ acquisition: RequestEvent.Acquisition, _ verdict: RequestOutcome.Verdict) -> Self {
        Self(.releasing(verdict), .acquisition(acquisition))
    }
    static func released(_ acquisition: RequestEvent.Acquisition, _ error: (any Error)?) -> Self {
        error == nil ? Self(.released, .acquisition(acquisition)) : .other(.released(acquisition, error))
    }
    static func waitBegan(_ call: RequestEvent.Call) -> Self { Self(.waitBegan, .call(call)) }
    static func waitEnded(_ call: RequestEvent.Call, _ error: (any Error)?) -> Self {
        error == nil ? Self(.waitEnded, .call(call)) : .other(.waitEnded(call, error))
    }
    static func useBegan(_ call: RequestEvent.Call) -> Self { Self(.useBegan, .call(call)) }
    static func useEnded(_ call: RequestEvent.Call) -> Self { Self(.useEnded, .call(call)) }
    package static func serving(_ served: RequestEvent.Served) -> Self { Self(.serving, .served(served)) }
    /// - Parameter served: What the request asks for, if that is said with it; in a log only.
    package static func entered(_ phase: RequestEvent.Phase, _ served: RequestEvent.Served? = nil) -> Self {
        Self(.entered(phase), served.map(Subject.served) ?? .store)
    }
    static func other(_ kind: RequestEvent.Kind) -> Self { Self(.other, .other(Other(kind))) }

    /// What observers are told of it.
    package var kind: RequestEvent.Kind {
        switch (what, subject) {
        case (.settled(let verdict), _): .settled(verdict)
        case (.acquiring, .acquisition(let acquisition)): .acquiring(acquisition)
        case (.acquired, .acquisition(let acquisition)): .acquired(acquisition)
        case (.computed, .acquisition(let acquisition)): .computed(acquisition)
        case (.releasing(let verdict), .acquisition(let acquisition)): .releasing(acquisition, verdict)
        case (.released, .acquisition(let acquisition)): .released(acquisition, nil)
        case (.waitBegan, .call(let call)): .waitBegan(call)
        case (.waitEnded, .call(let call)): .waitEnded(call, nil)
        case (.useBegan, .call(let call)): .useBegan(call)
        case (.useEnded, .call(let call)): .useEnded(call)
        case (.serving, .served(let served)): .serving(served)
        case (.entered(let phase), _): .entered(phase)
        case (_, .other(let other)): other.kind
        default: preconditionFailure("a fact without its subject")
        }
    }

    /// Whether it means nothing once the store has closed; it is noted where it happens, and not when it is told.
    package var isOfOpenStore: Bool {
        switch what {
        case .serving, .entered: true
        default: false
        }
    }

    /// What became of the store, if it is the last that happened in it.
    var end: RequestOutcome? {
        if case .other(let other) = subject, case .closed(let outcome) = other.kind { outcome } else { nil }
    }
}
