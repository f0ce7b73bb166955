import Foundation

/// Runs every job on a thread of its own, so that one that blocks keeps no thread from the tests that run beside it.
final class ThreadExecutor: TaskExecutor {
    private let stackSize: Int

    init(stackSize: Int = 8 << 20) { self.stackSize = stackSize }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let thread = Thread { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        thread.stackSize = stackSize
        thread.start()
    }
}
