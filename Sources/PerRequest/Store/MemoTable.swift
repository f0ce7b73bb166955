/// The memoized values of a store.
///
/// A bucket is found under the store's lock by two integers. Comparing arguments runs a user's code, so that it happens
/// outside, on the bucket that was found (rule 8).
struct MemoTable: Sendable {
    /// One memo and one hash of arguments.
    struct Key: Hashable, Sendable {
        let memo: Int
        let hash: Int
    }

    /// One memo and its arguments.
    struct Entry: Sendable {
        let arguments: MemoArguments
        /// Tells it from others of the same hash.
        let id: Int
        let point: ReleasePoint
        /// The lifecycle's entry: of its flight, while it has no value, or of a value that ends with something else.
        var entry = -1
        var box: AnyBox?
    }

    private var buckets: [Key: [Entry]] = [:]

    var isEmpty: Bool { buckets.isEmpty }

    func bucket(_ key: Key) -> [Entry] { buckets[key] ?? [] }

    func entry(_ key: Key, id: Int) -> Entry? { buckets[key]?.first { $0.id == id } }

    /// Adds an entry, unless the bucket has changed since it was found.
    mutating func add(_ entry: Entry, to key: Key, expecting found: [Entry]) -> Bool {
        guard bucket(key).map(\.id) == found.map(\.id) else { return false }
        buckets[key, default: []].append(entry)
        return true
    }

    /// A flight has begun.
    mutating func fly(_ key: Key, id: Int, as entry: Int) {
        guard let index = buckets[key]?.firstIndex(where: { $0.id == id }) else { return }
        buckets[key]?[index].entry = entry
    }

    /// A flight has a value that can be kept.
    mutating func keep(_ box: AnyBox, _ key: Key, entry: Int) {
        guard let index = buckets[key]?.firstIndex(where: { $0.entry == entry }) else { return }
        buckets[key]?[index].box = box
    }

    /// A flight has ended, and the lifecycle knows nothing of it any more: without a value, nothing is left of it.
    ///
    /// - Returns: What is to be let go outside the lock.
    mutating func ended(_ key: Key, entry: Int) -> Entry? {
        guard let index = buckets[key]?.firstIndex(where: { $0.entry == entry }) else { return nil }
        buckets[key]?[index].entry = -1
        return buckets[key]?[index].box == nil ? remove(key) { $0.entry == -1 && $0.box == nil } : nil
    }

    /// Removes an entry that has neither a flight nor a value, and returns it to be let go outside the lock.
    mutating func removeUnused(_ key: Key, id: Int) -> Entry? {
        remove(key) { $0.id == id && $0.entry == -1 && $0.box == nil }
    }

    /// Thrown where an entry is gone that had been found before.
    struct EntryGone: Error {}

    /// Removes a value, and returns it to be let go outside the lock.
    mutating func remove(_ key: Key, entry: Int) -> Entry? { remove(key) { $0.entry == entry } }

    /// Removes a value, and returns it to be let go outside the lock.
    mutating func remove(_ key: Key, id: Int) -> Entry? { remove(key) { $0.id == id } }

    private mutating func remove(_ key: Key, where isIt: (Entry) -> Bool) -> Entry? {
        guard let index = buckets[key]?.firstIndex(where: isIt) else { return nil }
        let removed = buckets[key]?.remove(at: index)
        if bucket(key).isEmpty { buckets[key] = nil }
        return removed
    }

    /// Removes all values of a memo, and returns them to be let go outside the lock.
    mutating func removeAll(of memo: Int) -> MemoTable { removeAll { key, _ in key.memo == memo } }

    /// Removes all that lasts until `point`, and returns it to be let go outside the lock.
    mutating func removeAll(until point: ReleasePoint) -> MemoTable { removeAll { _, entry in entry.point == point } }

    private mutating func removeAll(where isDue: (Key, Entry) -> Bool) -> MemoTable {
        var removed = MemoTable()
        for (key, bucket) in buckets {
            let due = bucket.filter { isDue(key, $0) }
            guard !due.isEmpty else { continue }
            removed.buckets[key] = due
            buckets[key] = due.count == bucket.count ? nil : bucket.filter { !isDue(key, $0) }
        }
        return removed
    }

    /// The lifecycle's entries of all that is in the table.
    var entries: [Int] { buckets.values.flatMap { $0.map(\.entry) }.filter { $0 >= 0 } }
}

/// The arguments of a memoized function.
final class MemoArguments: Sendable {
    private let arguments: [Argument]

    /// The hash of the arguments, computed once: `hash(into:)` must not be called under a lock.
    let hash: Int

    init(_ arguments: [Argument]) {
        var hasher = Hasher()
        for argument in arguments { argument.hash(into: &hasher) }
        self.arguments = arguments
        hash = hasher.finalize()
    }

    /// Runs the arguments' `==`: not to be called under a lock.
    func isEqual(to other: MemoArguments) -> Bool {
        zip(arguments, other.arguments).allSatisfy { $0.isEqual(to: $1) }
    }

    /// One argument, of a type that its memo knows.
    class Argument: @unchecked Sendable {
        func hash(into hasher: inout Hasher) {}
        func isEqual(to other: Argument) -> Bool { false }
    }

    /// One argument.
    final class Of<Value: Hashable & Sendable>: Argument, @unchecked Sendable {
        private let value: Value

        init(_ value: Value) { self.value = value }

        override func hash(into hasher: inout Hasher) { value.hash(into: &hasher) }

        override func isEqual(to other: Argument) -> Bool { (other as? Of<Value>)?.value == value }
    }
}
