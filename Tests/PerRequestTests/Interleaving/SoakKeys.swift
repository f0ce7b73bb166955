import Synchronization

@testable import PerRequest

/// What a resource of the soak gives.
struct SoakValue: Sendable {
    let run: SoakRun
    /// The number of the acquisition; -1 for the value of a memo.
    let id: Int
    /// The acquisitions whose values it is made of: itself, or what a memo was built on.
    let basis: [Int]
    /// How many bodies have had it for themselves.
    var generation = 0
}

/// The keys of all requests of the soak; what they do is in the request's plan.
enum SoakKeys {
    /// How many resources a request has: closures and functions, half of each released before the response.
    static let count = 8
    static let memoCount = 3

    /// The run that a task belongs to.
    @TaskLocal static var run: SoakRun?

    /// How many child stores, memos and tasks that nobody waits for this is inside of.
    ///
    /// A factory that opens a child which acquires the same once more would do so for ever.
    @TaskLocal static var depth = 0

    static func isAround(_ key: Int) -> Bool { key >= 4 }

    static func point(of key: Int) -> ReleasePoint { key % 4 < 2 ? .afterResponse : .beforeResponse }

    static let patient: [RequestResource<SoakValue>] = (0..<count).map { resource($0, isTimed: false) }

    /// Half of them with limits of a millisecond.
    static let hasty: [RequestResource<SoakValue>] = (0..<count).map { resource($0, isTimed: $0 % 2 == 1) }

    static let memos: [RequestMemo<SoakValue, Int>] = (0..<memoCount).map { number in
        RequestMemo("memo \(number)", until: number == 2 ? .beforeResponse : .afterResponse, timeout: .seconds(90)) {
            _ in
            try await required().memo(number)
        }
    }

    private static func required() throws -> SoakRun {
        guard let run else { throw TestError("no run in a factory") }
        return run
    }

    private static func resource(_ key: Int, isTimed: Bool) -> RequestResource<SoakValue> {
        let limits =
            isTimed
            ? ResourceLimits(acquire: .milliseconds(1), release: .milliseconds(1), hold: .milliseconds(1))
            : ResourceLimits(acquire: .seconds(90), release: .seconds(90))
        let name = "\(isAround(key) ? "around" : "resource") \(key)"
        guard isAround(key) else {
            return RequestResource(name, released: point(of: key), limits: limits) {
                try await required().acquire(key)
            } release: { value, outcome in
                try await value.run.release(value, key, outcome.verdict)
            }
        }
        return RequestResource.around(name, released: point(of: key), limits: limits) { use in
            try await required().around(key, use)
        }
    }
}
