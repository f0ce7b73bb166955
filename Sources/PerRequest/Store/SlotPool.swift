import Synchronization

/// The slots that no store has.
///
/// There are as many slots in the process as there were stores open at the same time, at most. A thread takes and gives
/// back at its own shard, so that threads seldom meet.
struct SlotPool: ~Copyable, Sendable {
    static let shared = SlotPool()

    private let shards = InlineArray<16, Lock<[Slot]>> { _ in Lock([]) }

    /// A slot that nobody has.
    func take() -> Slot {
        let own = Self.shard
        for step in 0..<16 {
            if let slot = shards[(own + step) & 15].withLock({ $0.popLast() }) { return slot }
        }
        return Slot()
    }

    func giveBack(_ slot: Slot) {
        shards[Self.shard].withLock { $0.append(slot) }
    }

    /// A number from 0 to 15 that is mostly different on different threads: where the thread's stack is.
    private static var shard: Int {
        var local: UInt8 = 0
        let address = unsafe withUnsafePointer(to: &local) { UInt(bitPattern: $0) }
        // Stacks are some megabytes apart.
        return Int(truncatingIfNeeded: (address >> 20) &* 0x9E37_79B9 >> 28) & 15
    }
}
