#if ServiceLifecycle
public import PerRequest
public import ServiceLifecycle

/// The owner of the work after the response, as a service.
///
/// ```swift
/// let work = BackgroundWork()
/// let services = ServiceGroup(services: [pool, work, server], logger: logger)
/// ```
///
/// Put it before the server that it works for, and behind what its jobs need: a group shuts its services down in reverse
/// order, so that the last requests can still leave work, and the work outlives nothing that it needs.
extension BackgroundWork: Service {
    /// Runs the work until the group shuts down gracefully; then what was admitted has ``Limits/drain`` to end, and what is
    /// cancelled after it has ``Limits/grace``.
    ///
    /// Cancelling the task cuts it off at once.
    public func run() async throws {
        await withGracefulShutdownHandler {
            await runUntilShutdown()
        } onGracefulShutdown: {
            self.shutDown()
        }
    }
}
#endif
