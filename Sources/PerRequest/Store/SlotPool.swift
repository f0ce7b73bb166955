import Synchronization

/// The slots that no store has.
///
/// There are as many slots in the process as there were stores open at the same time, at most. A thread takes and gives
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

    private static var shard: Int { Int(truncatingIfNeeded: threadNumber()) & 15 }
}
