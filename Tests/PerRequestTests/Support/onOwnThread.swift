import Foundation

/// Runs long, blocking work on a thread of its own, so that it does not keep one from the tests that run beside it.
///
/// Issues have to be recorded by the caller: the thread does not belong to a test.
func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in
        let thread = Thread { continuation.resume(returning: body()) }
        thread.stackSize = 8 << 20
        thread.start()
    }
}
