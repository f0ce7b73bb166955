import Foundation
import PerRequest
import Synchronization
import Testing

@Suite("Observer (rules 10 and 12)")
struct ObserverTests {
    /// Notes what it is told, and runs what a test wants to happen meanwhile.
    private final class Watching: RequestObserver {
        let journal = Journal()
        private let onAcquired: @Sendable (RequestStore) -> Void

        init(onAcquired: @escaping @Sendable (RequestStore) -> Void = { _ in }) { self.onAcquired = onAcquired }

        func acquired(_ resource: String, in store: RequestStore) {
            onAcquired(store)
            journal.note("acquired \(resource)")
        }

        func released(_ resource: String, in store: RequestStore, error: (any Error)?) {
            journal.note("released \(resource)\(error == nil ? "" : ": failed")")
        }

        func closed(_ store: RequestStore, outcome: RequestOutcome) { journal.note("closed") }
    }

    @Test("Rule 10: `acquired` precedes `released`, also when somebody releases while the observer is being told")
    func order() async throws {
        let resource = RequestResource("resource") {
            1
        } release: { _, _ in
        }
        let around = RequestResource<Int>.around("around") { use in try await use(1) }
        // What another thread may do at this moment is done here and now: it runs to its end if nothing suspends.
        let observer = Watching { store in
            Task.immediate { try await resource.release(.commit, in: store) }
            Task.immediate { try await around.release(.commit, in: store) }
        }
        let scope = RequestScope(observer: observer)
        _ = try await resource.get(in: scope.store)
        _ = try await around.get(in: scope.store)
        await scope.close()
        #expect(
            observer.journal.entries == [
                // The second one's `acquired` finds the first one held, and releases it.
                "acquired resource", "released resource", "acquired around", "released around", "closed",
            ]
        )
    }

    @Test("Rule 10: two threads that acquire and release tell it in order, a thousand times")
    func race() async throws {
        let resource = RequestResource("resource") {
            await Task.yield()
        } release: { _, _ in
        }
        for _ in 0..<(isThreadSanitized ? 100 : 1_000) {
            let observer = Watching()
            let scope = RequestScope(observer: observer)
            async let acquiring: Void = resource.get(in: scope.store)
            async let releasing: Void = resource.release(.commit, in: scope.store)
            try await acquiring
            try await releasing
            await scope.close()
            #expect(observer.journal.entries == ["acquired resource", "released resource", "closed"])
        }
    }

    @Test("Rules 10, 17: an `around` function that ends while it hands in its value is told as acquired and released")
    func endedMeanwhile() async throws {
        let told = Signal()
        let handedIn = Signal()
        let end = Barrier()
        let observer = Watching { _ in
            told.fire()
            end.block()
        }
        let executor = SeededExecutor(seed: 1)
        let around = RequestResource<Int>.around("around") { use in
            // A mistake: nobody awaits this call. It runs on a thread of its own.
            Task(executorPreference: executor) { try await use(1) }
            Thread.detachNewThread {
                executor.run()
                handedIn.fire()
            }
            await told.wait()
            throw TestError("ended")
        }
        let scope = RequestScope(observer: observer, report: { _ in })
        await #expect(throws: TestError("ended")) { try await around.get(in: scope.store) }
        #expect(observer.journal.entries.isEmpty)
        end.open()
        await handedIn.wait()
        await scope.close()
        #expect(observer.journal.entries == ["acquired around", "released around: failed", "closed"])
    }
}
