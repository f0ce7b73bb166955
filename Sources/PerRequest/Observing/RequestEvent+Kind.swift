extension RequestEvent {
    /// What happened.
    @nonexhaustive
    public enum Kind: Sendable {
        /// The store was opened; `parent` is the one that a child was opened in.
        case opened(parent: RequestStore?)
        /// The verdict is decided, and what is released before the response has been, or has taken too long.
        case settled(RequestOutcome.Verdict)
        /// The store's last release has ended, and it is empty.
        case closed(RequestOutcome)

        /// The factory of a resource or a memo starts, for the first caller that needs its value.
        case acquiring(Acquisition)
        /// A resource was acquired: told just before its value can be read.
        case acquired(Acquisition)
        /// A memo's value was computed; it needs no release.
        case computed(Acquisition)
        /// The factory threw, or its `around` function ended without a value.
        case acquisitionFailed(Acquisition, any Error)
        /// A resource's release starts, and is told this verdict.
        ///
        /// It is not told of an `around` function that ends by itself.
        case releasing(Acquisition, RequestOutcome.Verdict)
        /// A resource's release ended, or an `around` function ended too early: nothing is held any more.
        case released(Acquisition, (any Error)?)

        /// A caller begins to wait for what another caller has asked for, or for its turn.
        case waitBegan(Call)
        /// A caller goes on, with a value or with an error.
        case waitEnded(Call, (any Error)?)
        /// A body of `use` or `useExclusively` begins.
        case useBegan(Call)
        /// A body of `use` or `useExclusively` ended.
        case useEnded(Call)

        /// Something has taken as long as it may.
        case limitPassed(Limit)

        /// Work for after the response was registered.
        case jobAdmitted(Job)
        /// A job starts, in a store of its own.
        case jobStarted(Job, in: RequestStore)
        /// A job ended, or does not run.
        case jobEnded(Job, Job.End)

        /// What the request asks for; told by an adapter, again when more of it is known.
        case serving(Served)
        /// The request has come to a phase of being served, which ends the one before; those of the handler and of the body are
        /// told by an adapter.
        case entered(Phase)
    }
}
