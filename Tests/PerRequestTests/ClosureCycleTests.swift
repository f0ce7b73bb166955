import PerRequest
import Testing

@Suite("Closures of keys that need themselves (rules 8 and 11)")
struct ClosureCycleTests {
    private enum Keys {
        static let left: RequestLocal<Int> = RequestLocal("left", initial: { right.value + 1 })
        static let right: RequestLocal<Int> = RequestLocal("right", initial: { (try? left.require()) ?? 40 })
        static let count = RequestLocal("count", default: 0)
        static let other = RequestLocal("other", default: [Int]())
    }

    @Test("An `initial` that asks for itself through another is told so where something can be thrown")
    func initial() async throws {
        try await withRequestStore { _ in
            // `left` runs, asks `right`, which asks `left` again: that throws, and `right` has a value without it.
            let left = try Keys.left.require()
            #expect(left == 41)
            #expect(Keys.right.value == 40)
        }
    }

    @Test("An `initial` that asks for itself where nothing can be thrown traps with the path")
    func trap() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            @Sendable () async -> Void in
            enum Endless {
                static let first: RequestLocal<Int> = RequestLocal("first", initial: { second.value })
                static let second: RequestLocal<Int> = RequestLocal("second", initial: { first.value })
            }
            _ = Endless.first.value
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains(#""first" needs "second" needs "first""#))
    }

    @Test("An `update` inside of one of the same value throws its path, also through another key; nothing is changed")
    func updates() async throws {
        try await withRequestStore { _ in
            let direct = await reason { try Keys.count.update { _ in try Keys.count.update { $0 += 1 } } }
            #expect(direct.map { "\($0)" } == #"cycle(["count", "count"])"#)
            let through = await reason {
                try Keys.count.update { _ in try Keys.other.update { _ in try Keys.count.update { $0 += 1 } } }
            }
            #expect(through.map { "\($0)" } == #"cycle(["count", "other", "count"])"#)
            #expect(Keys.count.value == 0)
            try Keys.count.update { $0 += 1 }
            #expect(Keys.count.value == 1)
            var next = 1
            let setting = await reason {
                try Keys.count.update { _ in
                    next += 1
                    try Keys.count.set(next)
                }
            }
            #expect(setting?.name == "cycle", "a body that comes before itself in every run")
        }
    }

    @Test("An `update` may change other values, the same one of another store, and race with a `set` of another task")
    func allowed() async throws {
        try await withRequestStore { outer in
            try await withRequestStore(.child) { _ in
                try Keys.count.update { count in
                    try Keys.other.set([1])
                    try Keys.count.update(in: outer) { $0 += 1 }
                    count += 10
                }
                #expect(Keys.count.value == 10 || Keys.count.value == 11)
            }
            #expect(Keys.count.value == 1)
            try await withThrowingTaskGroup { group in
                for number in 0..<100 {
                    group.addTask { try Keys.count.update { $0 += 1 } }
                    group.addTask { try Keys.other.set([number]) }
                }
                try await group.waitForAll()
            }
            #expect(Keys.count.value == 101)
        }
    }
}
