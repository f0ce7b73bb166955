/// Sees what the stores of an application do: for metrics and health checks.
///
/// The methods are called synchronously where the event happens, from any task or thread and never under a lock. They
/// must not block and should be cheap: they are on the request's path. All have an empty default.
public protocol RequestObserver: Sendable {
    /// A request's store was opened.
    func opened(_ store: RequestStore)

    /// A resource was acquired.
    ///
    /// It is told just before the value can be read. Every acquisition is followed by exactly one release, sooner or
    /// later, and never preceded by it.
    func acquired(_ resource: String, in store: RequestStore)

    /// A resource's release ended, or an `around` function ended too early.
    ///
    /// One that overran its limit is still held until this is called.
    func released(_ resource: String, in store: RequestStore, error: (any Error)?)

    /// A request's store was closed: its last release has ended, and it is empty.
    ///
    /// That of a child store is told before that of its parent. The request itself may have ended before, if a limit passed.
    func closed(_ store: RequestStore, outcome: RequestOutcome)
}

extension RequestObserver {
    /// Does nothing.
    public func opened(_ store: RequestStore) {}

    /// Does nothing.
    public func acquired(_ resource: String, in store: RequestStore) {}

    /// Does nothing.
    public func released(_ resource: String, in store: RequestStore, error: (any Error)?) {}

    /// Does nothing.
    public func closed(_ store: RequestStore, outcome: RequestOutcome) {}
}
