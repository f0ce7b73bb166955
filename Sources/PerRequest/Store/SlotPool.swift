import Synchronization

/// The slots that no store has.
///
/// There are about as many slots in the process as there were stores open at the same time. A thread takes and gives
/// back at its own shard, so that threads seldom meet.
struct SlotPool: ~Copyable, Sendable {
    static let shared = SlotPool()

    /// A slot that nobody has, and perhaps a store of it that ended unused and that nobody refers to.
    struct Spare: Sendable {
        let slot: Slot
        var store: RequestStore?
    }

    private let shards = InlineArray<16, Lock<[Spare]>> { _ in Lock([]) }

    /// A slot that nobody has.
    func take() -> Spare {
        let own = Self.shard
        for step in 0..<16 {
            if let spare = shards[(own + step) & 15].withLock({ $0.popLast() }) { return spare }
        }
        return Spare(slot: Slot())
    }

    func giveBack(_ spare: consuming Spare) {
        shards[Self.shard].withLock { [spare] in $0.append(spare) }
    }

    private static var shard: Int { shard(ofStackAt: stackAddress()) }

    /// A number from 0 to 15 that is mostly different for different threads, whose stacks are some megabytes apart.
    static func shard(ofStackAt address: UInt) -> Int {
        Int(truncatingIfNeeded: ((address >> 20) &* 0x9E37_79B9) >> 28) & 15
    }
}
