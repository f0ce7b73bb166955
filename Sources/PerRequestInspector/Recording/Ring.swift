#if Inspector
/// Which stores have closed last: so many of them, with so many parts in all.
///
/// The oldest ones go first. The one that was added last stays, however many parts it has.
struct Ring: Sendable {
    private var entries: [(number: Int, parts: Int)] = []
    private let capacity: Int
    private let partLimit: Int
    /// Where the oldest one is.
    private var first = 0
    private var count = 0
    private var parts = 0
    private(set) var forgotten = 0

    init(capacity: Int, partLimit: Int) {
        self.capacity = capacity
        self.partLimit = partLimit
        entries = Array(repeating: (0, 0), count: capacity)
    }

    /// Adds one.
    ///
    /// - Returns: One that has to go; ``removeOverdue()`` gives the next.
    mutating func add(_ number: Int, _ parts: Int) -> Int? {
        let removed = count == capacity ? removeFirst() : nil
        entries[(first + count) % capacity] = (number, parts)
        count += 1
        self.parts += parts
        return removed ?? removeOverdue()
    }

    /// The oldest one, if there are too many parts.
    mutating func removeOverdue() -> Int? { parts > partLimit && count > 1 ? removeFirst() : nil }

    private mutating func removeFirst() -> Int {
        let (number, parts) = entries[first]
        first = (first + 1) % capacity
        count -= 1
        self.parts -= parts
        forgotten += 1
        return number
    }
}
#endif
