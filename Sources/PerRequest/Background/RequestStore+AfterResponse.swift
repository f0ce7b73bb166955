/// When work after the response runs.
public enum AfterResponseCondition: Sendable {
    /// If the request was committed: no mail after a rollback.
    case committed
    /// Whatever became of the request.
    case always
}

extension RequestStore {
    /// Registers work for after the response of the current request; the instance method says all.
    ///
    /// ```swift
    /// try RequestStore.afterResponse("mail") {
    ///     try await Mailer.send(.welcome, to: Current.user.require())
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - name: What to call the work in reports.
    ///   - condition: When it runs.
    ///   - work: The work.
    /// - Throws: ``RequestStoreError`` outside a request, after it, and where the work is refused.
    public static func afterResponse(
        _ name: String,
        _ condition: AfterResponseCondition = .committed,
        _ work: @escaping @Sendable () async throws -> Void
    ) throws {
        try required(by: name).afterResponse(name, condition, work)
    }

    /// Registers work for after the response of this request.
    ///
    /// It is admitted now, or refused now; it starts when the store has closed. The work of one request runs one after
    /// another, in the order in which it was registered, whoever runs it; a failure does not keep the next from running. It
    /// delays neither the response nor the next request.
    ///
    /// **Lifetime.** The work runs in a store of its own: with the values that the request had when it closed, but for
    /// those of a ``RequestLocal`` that is not carried, with its own resources, and with its own verdict. It may register
    /// more work, which goes to the end of the request's. In a store of ``withRequestStore(_:id:observers:background:_:)``, which runs
    /// its work before it returns, it is awaited there; in a child, it is left to the parent if the child commits.
    ///
    /// **Cancellation.** That of the request does not reach it. ``BackgroundWork`` cancels it when it shuts down and the
    /// time to drain has passed, and waits a little longer for it.
    ///
    /// **Errors.** What it throws is reported, with the request's id and the name.
    ///
    /// - Parameters:
    ///   - name: What to call the work in reports.
    ///   - condition: When it runs.
    ///   - work: The work.
    /// - Throws: ``RequestStoreError`` if the request is over, nobody runs such work, too much of it is waiting, or the
    ///   application is shutting down.
    public func afterResponse(
        _ name: String,
        _ condition: AfterResponseCondition = .committed,
        _ work: @escaping @Sendable () async throws -> Void
    ) throws {
        try core.leave(name, condition, work)
    }
}
