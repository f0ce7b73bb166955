/// Sees what happens to the requests of an application and in their stores: for metrics, traces and health checks.
///
/// ```swift
/// struct SlowReleases: RequestObserver {
///     func observe(_ event: RequestEvent) {
///         guard case .released(let acquisition, let error?) = event.kind else { return }
///         print("\(event.store.id): \(acquisition.key), asked for at \(acquisition.askedAt): \(error)")
///     }
/// }
/// ```
///
/// **Isolation.** It is called synchronously where the event happens, from any task or thread and never under a lock, by several
/// threads at a time. It must not block and should be cheap: it is on the request's path.
///
/// **Order.** What ``RequestEvent`` promises holds for each observer. Several observers of one store are told one after the
/// other, in the order in which they were given.
public protocol RequestObserver: Sendable {
    /// Something has happened.
    ///
    /// - Parameter event: What, when, and in which store.
    func observe(_ event: RequestEvent)
}
