import Dispatch

/// Blocks a thread until it is opened.
///
/// For what a user's code must not do and may do all the same. A test that blocks does so on one thread only, so that
/// the others go on.
final class Barrier: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func block() { semaphore.wait() }

    func open() { semaphore.signal() }
}
