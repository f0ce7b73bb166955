import Foundation
import Synchronization

@testable import PerRequest

/// Runs all jobs on the thread that calls `run`, in their order, until it is told to stop.
private final class LocalExecutor: TaskExecutor {
    private let jobs = Lock<(queue: [UnownedJob], next: Int)>(([], 0))
    private let available = DispatchSemaphore(value: 0)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.queue.append(job) }
        available.signal()
    }

    func run(until isOver: () -> Bool) {
        while !isOver() {
            available.wait()
            if let job = next() { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
        }
    }

    private func next() -> UnownedJob? {
        jobs.withLock { jobs in
            guard jobs.next < jobs.queue.count else {
                jobs = ([], 0)
                return nil
            }
            defer { jobs.next += 1 }
            return jobs.queue[jobs.next]
        }
    }
}

/// Runs `body`, and all that follows from it in its store, on a thread with a stack of 512 kB.
func onSmallStack(_ body: @escaping @Sendable (StoreScope, any TaskExecutor) async throws -> Void)
    async throws
{
    let result = await withCheckedContinuation {
        (continuation: CheckedContinuation<Result<Void, any Error>, Never>) in
        let thread = Thread {
            let executor = LocalExecutor()
            let outcome = Lock<Result<Void, any Error>?>(nil)
            let task = Task(executorPreference: executor) {
                let scope = StoreScope(
                    core: RequestCore(StoreConfiguration(reporter: { _ in }, executor: executor))
                )
                do {
                    try await body(scope, executor)
                    outcome.withLock { $0 = .success(()) }
                } catch {
                    outcome.withLock { $0 = .failure(error) }
                }
            }
            executor.run { outcome.withLock { $0 != nil } }
            withExtendedLifetime(task) {}
            continuation.resume(returning: outcome.withLock { $0 } ?? .failure(TestError("it did not end")))
        }
        thread.stackSize = 512 << 10
        thread.start()
    }
    try result.get()
}
