import Synchronization
import Testing

@testable import PerRequest

/// Goes on when `condition` holds; where it never does, that is a failure.
func until(sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Bool) async {
    let end = ContinuousClock.now + .seconds(540)
    var looks = 0
    while !condition() {
        looks += 1
        // Others need the thread more.
        if looks < 1_000 { await Task.yield() } else { try? await Task.sleep(for: .milliseconds(1)) }
        guard .now < end else {
            Issue.record("this never comes true", sourceLocation: sourceLocation)
            return
        }
    }
}

extension CountingObserver {
    /// Goes on when all that was acquired is released, and all stores are closed; where that never is, it is a failure.
    func untilBalanced(sourceLocation: SourceLocation = #_sourceLocation) async {
        await until(sourceLocation: sourceLocation) {
            let counts = self.counts
            return counts.acquired == counts.released && counts.opened == counts.closed
        }
        let counts = self.counts
        #expect(counts.acquired == counts.released && counts.opened == counts.closed, sourceLocation: sourceLocation)
    }
}

/// Lets others go first, a random number of times.
func pause() async { for _ in 0..<Int.random(in: 0..<6) { await Task.yield() } }

/// The reason for which `body` is refused: one that waits for its limit says so in its reason.
func refusal<Result>(
    sourceLocation: SourceLocation = #_sourceLocation,
    of body: () async throws -> Result
) async -> String? {
    await reason(sourceLocation: sourceLocation, of: body).map { "\($0)" }
}

/// The reason of the store error that `body` throws, if it throws one.
func reasonIfAny<Result>(of body: () async throws -> Result) async -> RequestStoreError.Reason? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? RequestStoreError)?.reason
    }
}

/// Has the turn of a resource of the current store, and gives its value.
func turn(_ resource: RequestResource<Int>) async throws -> Int {
    try await resource.useExclusively { value in value }
}

/// Has the turn of a resource of `store`, and gives its value.
func turn(_ resource: RequestResource<Int>, in store: RequestStore) async throws -> Int {
    try await resource.useExclusively(in: store) { value in value }
}

/// Calls `body` inside of children of the current store, one in the other; the innermost owns `owned`.
func inChildren<Value: Sendable>(
    _ depth: Int,
    owning owned: any RequestOwnable,
    _ body: () async throws -> Value
) async throws -> Value {
    try await withRequestStore(depth == 1 ? .child(owning: owned) : .child) { _ in
        depth == 1 ? try await body() : try await inChildren(depth - 1, owning: owned, body)
    }
}

/// An `around` whose function ends when it is told to, although its value is in use.
func losable(
    _ name: String = "transaction",
    released: ReleasePoint = .afterResponse,
    on base: RequestResource<String>? = nil,
    lose: Signal,
    before: @escaping @Sendable () async -> Void = {}
) -> RequestResource<Int> {
    .around(name, released: released) { use in
        _ = try await base?.get()
        await before()
        return try await withThrowingTaskGroup { group in
            group.addTask { try await use(1) }
            group.addTask {
                try await lose.waitOrCancel()
                throw TestError("connection lost")
            }
            defer { group.cancelAll() }
            return try await group.next()!
        }
    }
}

extension RequestStore {
    /// The lifecycle's entry of a resource that is held.
    func entry<Value>(of resource: RequestResource<Value>) -> Int? {
        core.request.state.withLock {
            $0.lifecycle.heldEntry(of: resource.info.id, scope: core.owner(of: resource.info.id))
        }
    }

    /// How many callers wait or use a value, in all stores of the request.
    var calls: Int { core.request.state.withLock { Int($0.lifecycle.calls.count) } }

    /// How many callers wait, in all stores of the request.
    var waiters: Int { core.request.state.withLock { $0.waiters.all.count } }
}

extension RequestStore {
    /// The verdict as it is now.
    var outcomeVerdict: RequestOutcome.Verdict { core.outcome.verdict }

    /// The number of what was acquired under a name.
    func acquisition(of name: String) -> Int? {
        core.request.state.withLock { state in state.acquisitions.all.first { $0.resource.name == name }?.entry }
    }

    func state(of entry: Int) -> Lifecycle.Entry.State? {
        core.request.state.withLock { $0.lifecycle.state(of: entry) }
    }
}
