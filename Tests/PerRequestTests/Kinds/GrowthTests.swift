import Foundation
import Synchronization
import Testing

@testable import PerRequest

/// How the time grows with the size, whatever the machine is doing: that which the thread has had of it.
@Suite("Cost grows linearly (rules 9, 11 and 22)", .serialized, .timeLimit(.minutes(10)))
struct GrowthTests {
    /// Four times as much takes four times as long, and more beside a busy suite; with the square it would be sixteen.
    private static let linear = 12.0

    /// The best of three, of `size` and of four times that, as a ratio.
    ///
    /// On a thread of its own: so many tasks would keep the others of the suite waiting.
    private func growth(
        _ size: Int,
        _ body: @escaping @Sendable (Int, StoreScope, any TaskExecutor) async throws -> Duration
    ) async throws -> Double {
        var best: [Duration] = []
        for size in [size, 4 * size] {
            var times: [Duration] = []
            for _ in 0..<3 {
                let time = Lock(Duration.zero)
                try await onSmallStack { scope, executor in
                    let duration = try await body(size, scope, executor)
                    time.withLock { $0 = duration }
                    await scope.close()
                }
                times.append(time.withLock { $0 })
            }
            best.append(times.min() ?? .zero)
        }
        return best[1] / best[0]
    }

    private func time(_ body: () async throws -> Void) async rethrows -> Duration {
        let begin = threadTime()
        try await body()
        return threadTime() - begin
    }

    private func threadTime() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    @Test("Rule 9: many flights of one memo at once")
    func flights() async throws {
        let ratio = try await growth(2_500) { count, scope, executor in
            let go = Signal()
            let memo = RequestMemo("memo") { (number: Int) -> Int in
                await go.wait()
                return number
            }
            let store = scope.store
            return try await scope.run {
                try await time {
                    let tasks = (0..<count).map { number in
                        Task(executorPreference: executor) { try await memo(number) }
                    }
                    await until { store.calls == count }
                    go.fire()
                    for task in tasks { _ = try await task.value }
                }
            }
        }
        #expect(ratio < Self.linear)
    }

    @Test("Rule 9: many callers of one flight that are all cancelled")
    func cancelledCallers() async throws {
        let ratio = try await growth(4_000) { count, scope, executor in
            let go = Signal()
            let resource = RequestResource("resource") {
                await go.wait()
            } release: { _, _ in
            }
            let tasks = (0..<count).map { _ in
                Task(executorPreference: executor) { try await resource.get(in: scope.store) }
            }
            await until { scope.store.calls == count }
            let duration = await time {
                for task in tasks { task.cancel() }
                for task in tasks { _ = await task.result }
            }
            go.fire()
            return duration
        }
        #expect(ratio < Self.linear)
    }

    @Test("Rule 9: many bodies that wait for one turn")
    func turns() async throws {
        let ratio = try await growth(2_000) { count, scope, executor in
            let client = RequestResource("client") {
                1
            } release: { _, _ in
            }
            let end = Signal()
            let tasks = (0..<count).map { _ in
                Task(executorPreference: executor) {
                    try await client.useExclusively(in: scope.store) { _ in await end.wait() }
                }
            }
            await until { scope.store.calls == count }
            return await time {
                end.fire()
                for task in tasks { _ = await task.result }
            }
        }
        #expect(ratio < Self.linear)
    }

    /// Each search for a cycle is linear in what is below, so that all of them together grow with the square of the layers;
    /// by the number of paths it would never end.
    @Test("Rule 11: layers of two memos that are each built on both below, under way and then held")
    func layers() async throws {
        let ratio = try await growth(13) { depth, scope, executor in
            let go = Signal()
            let memo = Layers.memo(go)
            let store = scope.store
            return try await scope.run {
                try await time {
                    var tasks: [Task<Int, any Error>] = []
                    for layer in 0..<depth {
                        for side in 0..<2 {
                            tasks.append(Task(executorPreference: executor) { try await memo(layer, side) })
                        }
                        // Until all have asked for what they are built on.
                        await until { store.waiters == layer * 6 + 2 }
                    }
                    go.fire()
                    for task in tasks { _ = try await task.value }
                }
            }
        }
        #expect(ratio < 64)
    }

    private enum Layers {
        private final class Recursive: Sendable {
            let memo = Lock<RequestMemo<Int, Int, Int>?>(nil)
        }

        static func memo(_ go: Signal) -> RequestMemo<Int, Int, Int> {
            let below = Recursive()
            let memo = RequestMemo("memo") { (layer: Int, side: Int) -> Int in
                guard layer > 0, let memo = below.memo.withLock({ $0 }) else {
                    await go.wait()
                    return 1
                }
                async let left = memo(layer - 1, 0)
                async let right = memo(layer - 1, 1)
                return try await left &+ right
            }
            below.memo.withLock { $0 = memo }
            return memo
        }
    }

    @Test("Rule 11: layers of two resources that are each built on both below")
    func resourceLayers() async throws {
        let ratio = try await growth(100) { depth, scope, executor in
            var layers: [[RequestResource<Int>]] = []
            for layer in 0..<depth {
                let below = layers.last ?? []
                layers.append(
                    (0..<2).map { side in
                        RequestResource("\(layer) \(side)", line: UInt(layer)) {
                            var sum = 0
                            for key in below { sum &+= try await key.get() }
                            return sum
                        } release: { _, _ in
                        }
                    }
                )
            }
            return try await time {
                try await scope.run {
                    for key in layers.joined() { _ = try await key.get() }
                }
            }
        }
        #expect(ratio < Self.linear)
    }

    @Test("Rule 4: many children that are open at once, and many that come and go")
    func children() async throws {
        let owned = RequestResource("owned") {
            1
        } release: { _, _ in
        }
        let ratio = try await growth(1_000) { count, scope, executor in
            let leave = Signal()
            let opened = Counter()
            let tasks = await scope.run {
                (0..<count).map { _ in
                    Task(executorPreference: executor) {
                        _ = try? await withRequestStore(.child(owning: owned)) { _ in
                            _ = try await owned.get()
                            opened.next()
                            await leave.wait()
                        }
                    }
                }
            }
            await until { opened.count == count }
            let duration = await time { await scope.close() }
            leave.fire()
            for task in tasks { await task.value }
            return duration
        }
        #expect(ratio < Self.linear)
    }
}
