import Synchronization
import Testing

@testable import PerRequest

/// The memory of stores is used again, while tasks of the requests before still point to it.
@Suite("Reused memory (rules 5 to 7)")
struct ReuseTests {
    /// Of each of four lanes; a release build is where the optimizer could move something out of its place.
    ///
    /// A debug build has fewer: the tasks that escape keep both threads busy, and tests of servers run beside them.
    static var requests: Int {
        #if DEBUG
        isThreadSanitized ? 1_000 : 400
        #else
        200_000
        #endif
    }

    /// An object that knows the request it was made for, and is counted.
    final class Mark: Sendable {
        static let alive = Atomic(0)
        let request: Int

        init(_ request: Int) {
            self.request = request
            Self.alive.add(1, ordering: .relaxed)
        }

        deinit { Self.alive.subtract(1, ordering: .relaxed) }
    }

    static let word = RequestLocal("word", default: 0)
    static let object = RequestLocal<Mark?>("object")
    static let sets = RequestLocal("sets", default: 0)
    /// More than there are home places, so that some find theirs taken.
    static let others = (0..<9).map { RequestLocal("other \($0)", default: 0) }
    static let resource = RequestResource("resource") {
        Mark(word.value)
    } release: { mark, _ in
        #expect(mark.request == word.value)
    }

    static let memo = RequestMemo("memo") { (_: Int) in Mark(word.value) }

    /// What a task that outlives its request may see: its own request's, or none.
    ///
    /// Each value is read once: the request may end between two reads.
    private static func look(_ request: Int) -> Bool {
        guard [0, request].contains(word.value) else { return false }
        if let mark = object.value, mark.request != request { return false }
        if let mark = resource.valueIfHeld, mark.request != request { return false }
        return others.allSatisfy { [0, request].contains($0.value) }
    }

    /// Some requests one after the other, and the tasks that outlive them.
    private final class Lane: Sendable {
        let number: Int
        let foreign = Atomic(0)
        let isOver = Atomic(false)

        init(_ number: Int) { self.number = number }

        func expect(_ isOwn: Bool) { if !isOwn { foreign.add(1, ordering: .relaxed) } }

        func run() async throws {
            for round in 0..<requests / 200 {
                isOver.store(false, ordering: .relaxed)
                var escaped: [Task<Void, Never>] = []
                for step in 0..<200 {
                    let request = number * 1_000_000 + round * 1_000 + step + 1
                    if let task = try await serve(request, escapes: step % 25 == 0) { escaped.append(task) }
                    // What an escaped task writes is nobody's, once its request is over.
                    try await withRequestStore { _ in expect(sets.value == 0 && look(0)) }
                }
                isOver.store(true, ordering: .relaxed)
                for task in escaped { await task.value }
            }
        }

        private func serve(_ request: Int, escapes: Bool) async throws -> Task<Void, Never>? {
            try await withRequestStore { store in
                try word.set(request)
                try object.set(Mark(request))
                if request % 3 == 0 { for other in others { try other.set(request) } }
                if request % 2 == 0 { _ = try await resource.get() }
                if request % 5 == 0 {
                    for _ in 0..<3 {
                        let mark = try await memo(request % 10)
                        expect(mark.request == request)
                    }
                }
                guard escapes else { return nil }
                // It sees its request's end, and then many others' in the same memory.
                let id = store.id
                return Task {
                    while !self.isOver.load(ordering: .relaxed) {
                        self.expect(look(request))
                        if let mark = try? await resource.get() { self.expect(mark.request == request) }
                        if let mark = try? await memo(request % 10) { self.expect(mark.request == request) }
                        try? sets.set(request)
                        // By its id: holding the store itself would keep it from being used again.
                        self.expect(RequestStore.current?.id == id)
                        await Task.yield()
                    }
                }
            }
        }
    }

    @Test("Tasks that outlive their requests read and write while later requests use the same memory")
    func escapedTasks() async throws {
        let lanes = (1...4).map { Lane($0) }
        try await withThrowingTaskGroup { group in
            for lane in lanes { group.addTask { try await lane.run() } }
            try await group.waitForAll()
        }
        let foreign = lanes.map { $0.foreign.load(ordering: .relaxed) }
        #expect(foreign == [0, 0, 0, 0])
        #expect(Mark.alive.load(ordering: .relaxed) == 0)
    }

    @Test("A store that ended unused is opened again only if nobody refers to it")
    func held() async throws {
        var kept: [RequestStore] = []
        for _ in 0..<100 { kept.append(try await withRequestStore { $0 }) }
        #expect(Set(kept).count == 100)
        let areClosed = kept.allSatisfy(\.isClosed)
        #expect(areClosed)
        try await withRequestStore { store in
            let isNew = !kept.contains(store)
            #expect(isNew)
            try Self.word.set(7)
            for closed in kept where Self.word.value(in: closed) != 0 { Issue.record("read \(store) in \(closed)") }
        }
    }

    @Test("A task that outlives its request names it in errors, by the id that it was given")
    func names() async throws {
        let over = Signal()
        let task = try await withRequestStore(id: "GET /notes") { _ in
            Task {
                await over.wait()
                return (await reason { try Self.word.set(1) }, RequestStore.current?.id)
            }
        }
        try await withRequestStore(id: "another") { _ in over.fire() }
        let (failure, id) = await task.value
        #expect(failure?.name == "requestEnded")
        #expect(id == "GET /notes")
    }

    /// Notes which store is current when it ends.
    private final class Last: Sendable {
        static let store = Lock<RequestStore?>(nil)

        deinit {
            let current = RequestStore.current
            Self.store.withLock { $0 = current }
        }
    }

    @Test("Rule 6: a value that ends with its store ends while that store is current, not the one around it")
    func lastValue() async throws {
        let last = RequestLocal<Last?>("last")
        try await withRequestStore { outer in
            let inner = try await withRequestStore { store in
                try last.set(Last())
                return store
            }
            let seen = Last.store.withLock { $0 }
            #expect(seen == inner)
            #expect(seen != outer)
        }
    }

    @Test("Rule 6: work that a task leaves after its request has ended is refused for that reason")
    func lateWork() async throws {
        let over = Signal()
        let task = try await withRequestStore { _ in
            Task {
                await over.wait()
                return await reason { try RequestStore.afterResponse("late") {} }
            }
        }
        over.fire()
        let refusal = await task.value
        #expect(refusal?.name == "requestEnded")
    }

    @Test("Threads whose stacks are some megabytes apart seldom share a shard")
    func shards() {
        for distance in [2, 8] {
            let shards = Set((0..<16).map { SlotPool.shard(ofStackAt: 0x7F3A_1C00_0000 + UInt($0 * distance) << 20) })
            #expect(shards.count >= 8)
        }
    }

    @Test("The stores of a process take as much memory as were open at a time")
    func bounded() async throws {
        var slots: Set<UInt> = []
        for _ in 0..<1_000 {
            try await withRequestStore { store in
                _ = slots.insert(unsafe UInt(bitPattern: store.slot.immortal.pointer))
            }
        }
        // Other tests run at the same time, and take from the same pool.
        let count = slots.count
        #expect(count < 500)
    }

    @Test("Rule 7: a value is at its home place unless another key came first, and is found either way")
    func homes() async throws {
        try await withRequestStore { store in
            var taken: Set<Int> = []
            for (number, key) in Self.others.enumerated() {
                try key.set(number + 1)
                let isFirst = taken.insert(SlotMemory.home(of: key.tag)).inserted
                #expect((store.slot.memory.word(key.tag, of: store.number) != nil) == isFirst)
            }
            #expect(taken.count < Self.others.count)
            #expect(Self.others.map(\.value) == Array(1...9))
        }
    }
}
