import Foundation
import Synchronization
import Testing

@testable import PerRequest

@Suite("Observer (rules 10 and 12)")
struct ObserverTests {
    /// Notes what it is told, and runs what a test wants to happen meanwhile.
    private final class Watching: RequestObserver {
        let journal = Journal()
        private let onAcquired: @Sendable (RequestStore) -> Void
        private let onClosed: @Sendable (RequestStore) -> Void

        init(
            onAcquired: @escaping @Sendable (RequestStore) -> Void = { _ in },
            onClosed: @escaping @Sendable (RequestStore) -> Void = { _ in }
        ) {
            self.onAcquired = onAcquired
            self.onClosed = onClosed
        }

        func observe(_ event: RequestEvent) {
            switch event.kind {
            case .acquired(let acquisition):
                onAcquired(event.store)
                journal.note("acquired \(acquisition.key)")
            case .released(let acquisition, let error):
                journal.note("released \(acquisition.key)\(error == nil ? "" : ": failed")")
            case .closed:
                onClosed(event.store)
                journal.note(event.store.id == "child" ? "closed child" : "closed")
            default: break
            }
        }
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
        let scope = StoreScope(observers: [observer])
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
            let scope = StoreScope(observers: [observer])
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
        let scope = StoreScope(observers: [observer], report: { _ in })
        await #expect(throws: TestError("ended")) { try await around.get(in: scope.store) }
        #expect(observer.journal.entries.isEmpty)
        end.open()
        await handedIn.wait()
        await scope.close()
        #expect(observer.journal.entries == ["acquired around", "released around: failed", "closed"])
    }
    @Test(
        "Rule 4: a child's `closed` precedes its parent's, also when the parent closes while the observer is being told"
    )
    func childFirst() async throws {
        let (told, end) = (Signal(), Barrier())
        let observer = Watching { _ in
        } onClosed: { store in
            guard store.id == "child" else { return }
            told.fire()
            end.block()
        }
        let scope = StoreScope(observers: [observer])
        let child = Task(executorPreference: ThreadExecutor()) {
            try await scope.run { try await withRequestStore(.child, id: "child") { _ in } }
        }
        await told.wait()
        let closing = Task { await scope.close() }
        await until { !observer.journal.entries.isEmpty || scope.store.isClosing }
        end.open()
        try await child.value
        _ = await closing.value
        #expect(observer.journal.entries == ["closed child", "closed"])
        #expect(scope.store.isClosed)
    }

    @Test("Rule 4: an observer that does not return holds up its parent for the limit, and no longer")
    func childNeverTold() async throws {
        let (told, end) = (Signal(), Barrier())
        let observer = Watching { _ in
        } onClosed: { store in
            guard store.id == "child" else { return }
            told.fire()
            end.block()
        }
        let limits = RequestLimits(afterResponse: .milliseconds(20))
        let scope = StoreScope(limits: limits, observers: [observer], report: { _ in })
        let child = Task(executorPreference: ThreadExecutor()) {
            try await scope.run { try await withRequestStore(.child, id: "child") { _ in } }
        }
        await told.wait()
        await scope.close()
        #expect(observer.journal.entries.isEmpty)
        end.open()
        try await child.value
        await until { scope.store.isClosed && observer.journal.entries.count == 2 }
        #expect(observer.journal.entries == ["closed child", "closed"])
    }

    @Test("Rule 4: two threads that close a child and its parent tell it in order, a thousand times")
    func childRace() async throws {
        for _ in 0..<(isThreadSanitized ? 100 : 1_000) {
            let observer = Watching()
            let scope = StoreScope(observers: [observer])
            let opened = Signal()
            async let child: Void = scope.run {
                try await withRequestStore(.child, id: "child") { _ in
                    opened.fire()
                    await Task.yield()
                }
            }
            await opened.wait()
            await scope.close()
            #expect(observer.journal.entries == ["closed child", "closed"])
            try await child
        }
    }
}

extension RequestStore {
    fileprivate var isClosing: Bool { core.request.state.withLock { $0.lifecycle.phase(of: core.scope) == .closing } }
}
