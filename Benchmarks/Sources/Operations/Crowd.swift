import PerRequest
import Synchronization

/// What many do at once, or one after the other: what it takes is a time.
public struct Crowd: Sendable {
    /// What `Scripts/bench` calls it.
    public let name: String

    /// Does it, and returns how long that took.
    public let run: @Sendable () async throws -> Duration

    /// All of them, the smaller before the larger.
    public static let all = stores + memos + layers
}

// MARK: - Stores

extension Crowd {
    private static let stores = [
        Crowd(name: "1,000 children at work") {
            try await withRequestStore { _ in
                try await inTasks(1_000) {
                    try await withRequestStore(.child(owning: Resources.one)) { _ in try await work() }
                }
            }
        },
        Crowd(name: "1,000 stores at work") {
            try await inTasks(1_000) { try await withRequestStore { _ in try await work() } }
        },
    ]

    /// Acquires, uses and releases a resource over and over.
    private static func work() async throws {
        for _ in 0..<100 {
            _ = try await Resources.one.get()
            _ = try await Resources.one.use { $0.number }
            try await Resources.one.release(.commit)
            await Task.yield()
        }
    }
}

/// A parent whose children are opened and closed in any order, a thousand of them open at a time.
public func openChildren(_ count: Int) async throws {
    let random = Mutex(SystemRandomNumberGenerator())
    var open: [(gate: Gate, task: Task<Void, any Error>)] = []
    open.reserveCapacity(1_000)
    for _ in 0..<count {
        if open.count == 1_000 {
            let chosen = random.withLock { Int.random(in: open.indices, using: &$0) }
            open.swapAt(chosen, open.count - 1)
            let (gate, task) = open.removeLast()
            await gate.open()
            try await task.value
        }
        let gate = Gate()
        // It is open when this returns.
        open.append((gate, Task.immediate { try await withRequestStore(.child) { _ in await gate.wait() } }))
    }
    for (gate, task) in open {
        await gate.open()
        try await task.value
    }
}

// MARK: - Memos

extension Crowd {
    private static let memos = [
        Crowd(name: "10,000 flights of one memo at once") {
            let gate = Gate()
            let memo = RequestMemo("memo") { (number: Int) in
                await gate.wait()
                return number
            }
            return try await withRequestStore { _ in
                try await flights(gate) { try await memo($0) }
            }
        },
        Crowd(name: "10,000 flights of an actor with a dictionary") {
            let gate = Gate()
            let memo = MemoByHand { number in
                await gate.wait()
                return number
            }
            return try await flights(gate) { try await memo($0) }
        },
    ]

    private static func flights(_ gate: Gate, _ body: @escaping @Sendable (Int) async throws -> Int) async throws
        -> Duration
    {
        try await ContinuousClock().measure {
            try await withThrowingTaskGroup { group in
                for number in 0..<10_000 { group.addTask { try await body(number) } }
                await gate.untilWaiting(10_000)
                await gate.open()
                var sum = 0
                for try await number in group { sum += number }
                precondition(sum == 9_999 * 5_000)
            }
        }
    }
}

/// What a memo is without a store.
private actor MemoByHand {
    private var flights: [Int: Task<Int, any Error>] = [:]
    private let body: @Sendable (Int) async throws -> Int

    init(_ body: @escaping @Sendable (Int) async throws -> Int) { self.body = body }

    func callAsFunction(_ number: Int) async throws -> Int {
        if let flight = flights[number] { return try await flight.value }
        let body = body
        let flight = Task { try await body(number) }
        flights[number] = flight
        return try await flight.value
    }
}

// MARK: - Cycles

extension Crowd {
    /// How many layers there are.
    public static let depths = [13, 26, 52, 104, 208]

    private static let layers = depths.map { depth in
        Crowd(name: "1,000 searches for a cycle, by layers of two: \(depth)") {
            let layers = Layers()
            return try await withRequestStore { _ in
                try await withThrowingTaskGroup { group in
                    for layer in 0..<depth {
                        for side in 0..<2 { group.addTask { _ = try await layers.memo(layer, side) } }
                        while layers.asked.load(ordering: .acquiring) < 2 * layer { await Task.yield() }
                    }
                    await layers.gate.untilWaiting(2)
                    layers.top.store(depth - 1, ordering: .releasing)
                    await layers.gate.open()
                    try await group.waitForAll()
                }
                return layers.duration.withLock { $0 }
            }
        }
    }
}

/// Layers of two memos, each of which waits for both below it; one at the bottom asks for the top when the gate is open.
private final class Layers: Sendable {
    let gate = Gate()
    /// How many have asked for what is below them.
    let asked = Atomic(0)
    let top = Atomic(0)
    let duration = Mutex(Duration.zero)
    private let made = Mutex<RequestMemo<Int, Int, Int>?>(nil)

    var memo: RequestMemo<Int, Int, Int> { made.withLock { $0! } }

    init() {
        let memo = RequestMemo("memo") { [unowned self] (layer: Int, side: Int) -> Int in
            guard layer == 0 else {
                // Both wait when they return.
                let left = Task.immediate { try await self.memo(layer - 1, 0) }
                let right = Task.immediate { try await self.memo(layer - 1, 1) }
                self.asked.add(1, ordering: .releasing)
                return try await left.value &+ right.value
            }
            await self.gate.wait()
            if side == 0 { await self.search() }
            return 1
        }
        made.withLock { $0 = memo }
    }

    private func search() async {
        let top = top.load(ordering: .acquiring)
        let time = await ContinuousClock().measure {
            for _ in 0..<1_000 {
                do {
                    _ = try await memo(top, 0)
                    preconditionFailure("a cycle was not found")
                } catch {}
            }
        }
        duration.withLock { $0 = time }
    }
}

// MARK: - Tasks

/// Lets `count` tasks do it at once, and returns how long that took.
private func inTasks(_ count: Int, _ body: @escaping @Sendable () async throws -> Void) async throws -> Duration {
    try await ContinuousClock().measure {
        try await withThrowingTaskGroup { group in
            for _ in 0..<count { group.addTask { try await body() } }
            try await group.waitForAll()
        }
    }
}

/// What many wait for.
private actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func wait() async {
        guard !isOpen else { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    func open() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    func untilWaiting(_ count: Int) async {
        while waiting.count < count { await Task.yield() }
    }
}
