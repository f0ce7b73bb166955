import Foundation
import Synchronization
import Testing

@testable import PerRequest

/// Nothing recurses over what a user can have many of: a thread of a server may have a stack of 512 kB.
@Suite("Many things on a small stack (rules 4, 9 and 12)", .serialized, .timeLimit(.minutes(10)))
struct StackTests {
    #if DEBUG
    private static let many = 20_000
    #else
    private static let many = 100_000
    #endif

    @Test("Rule 4: a store with many open children closes", arguments: [false, true])
    func openChildren(holding: Bool) async throws {
        let released = Counter()
        try await onSmallStack { scope, executor in
            let owned = RequestResource("owned") {
                1
            } release: { _, _ in
                released.next()
            }
            let leave = Signal()
            let opened = Counter()
            let tasks = await scope.run {
                (0..<Self.many).map { _ in
                    Task(executorPreference: executor) {
                        _ = try? await withRequestStore(.child(owning: owned)) { _ in
                            if holding { _ = try await owned.get() }
                            opened.next()
                            await leave.wait()
                        }
                    }
                }
            }
            await until { opened.count >= Self.many }
            await scope.close()
            leave.fire()
            for task in tasks { await task.value }
            if !scope.store.isClosed { throw TestError("it is open") }
        }
        #expect(released.count == (holding ? Self.many : 0))
    }

    private static let name = RequestLocal<String?>("name")

    @Test(
        "Rule 4: many stores, each inside of the one before, read the root's value and close",
        arguments: [false, true]
    )
    func nested(closesRoot: Bool) async throws {
        @Sendable func nest(_ depth: Int, _ bottom: @Sendable () async throws -> Void) async throws {
            guard depth > 0 else { return try await bottom() }
            try await withRequestStore(.child) { _ in try await nest(depth - 1, bottom) }
        }
        try await onSmallStack { scope, executor in
            try await scope.run {
                try Self.name.set("root")
                try await nest(Self.many) {
                    guard Self.name.value == "root" else { throw TestError("not read") }
                    // The root closes them all, from within.
                    if closesRoot { await scope.close() }
                }
            }
            await scope.close()
            if !scope.store.isClosed { throw TestError("it is open") }
        }
    }

    /// Resources that are each built on the one before; none of them refers to another one.
    private final class Chain: Sendable {
        private let all = Lock<[RequestResource<Int>]>([])

        var keys: [RequestResource<Int>] { all.withLock { $0 } }

        init(of count: Int, released: @escaping @Sendable () -> Void) {
            for number in 0..<count {
                let key = RequestResource("\(number)", line: UInt(number)) { [weak self] in
                    guard number > 0, let below = self?.all.withLock({ $0[number - 1] }) else { return 1 }
                    return try await below.get() + 1
                } release: { _, _ in
                    released()
                }
                all.withLock { $0.append(key) }
            }
        }
    }

    @Test("Rule 12: a long chain of resources, built from its end or from its beginning, is released")
    func chain() async throws {
        for isEarly in [false, true] {
            let released = Counter()
            let count = isEarly ? 1_000 : Self.many
            try await onSmallStack { scope, executor in
                let chain = Chain(of: count) { released.next() }
                try await scope.run {
                    for key in chain.keys { _ = try await key.get() }
                    if isEarly { try await chain.keys[0].release(.commit) }
                }
                await scope.close()
                if !scope.store.isClosed { throw TestError("it is open") }
            }
            #expect(released.count == count)
        }
    }

    private enum Deep {
        static let ancestors: RequestMemo<Int, Int> = RequestMemo("ancestors") { (number: Int) -> Int in
            number == 0 ? 0 : try await ancestors(number - 1) + 1
        }
    }

    @Test("Rule 11: a memo that asks for itself many times over, and resources that ask for one another")
    func recursion() async throws {
        try await onSmallStack { scope, _ in
            let depth = try await scope.run { try await Deep.ancestors(Self.many) }
            if depth != Self.many { throw TestError("\(depth)") }
            await scope.close()
        }
        try await onSmallStack { scope, _ in
            let chain = Chain(of: 2_000) {}
            _ = try await scope.run { try await chain.keys[1_999].get() }
            await scope.close()
        }
    }

    @Test("Rule 9: many callers of one flight, of one turn and of one early release")
    func waiters() async throws {
        try await onSmallStack { scope, executor in
            let go = Signal()
            let resource = RequestResource("resource") {
                await go.wait()
            } release: { _, _ in
                await Task.yield()
            }
            let store = scope.store
            func all(_ body: @escaping @Sendable () async throws -> Void) -> [Task<Void, Never>] {
                (0..<Self.many).map { _ in Task(executorPreference: executor) { try? await body() } }
            }
            var tasks = all { try await resource.get(in: store) }
            await until { store.calls >= Self.many }
            go.fire()
            for task in tasks { await task.value }
            tasks = all { try await resource.useExclusively(in: store) { _ in await Task.yield() } }
            for task in tasks { await task.value }
            tasks = all { try await resource.release(.commit, in: store) }
            for task in tasks { await task.value }
            await scope.close()
            if !store.isClosed { throw TestError("it is open") }
        }
    }
}
