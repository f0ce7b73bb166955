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
        /// The resource that is acquired for it: its flight, while it has no value.
        let resource: Int
        let point: ReleasePoint
        var box: AnyBox?
    }

    private var buckets: [Key: [Entry]] = [:]

    var isEmpty: Bool { buckets.isEmpty }

    func bucket(_ key: Key) -> [Entry] { buckets[key] ?? [] }

    func value(_ key: Key, resource: Int) -> AnyBox? {
        buckets[key]?.first { $0.resource == resource }?.box
    }

    /// Adds an entry, unless the bucket has changed since it was found.
    mutating func add(_ entry: Entry, to key: Key, expecting found: [Entry]) -> Bool {
        guard bucket(key).map(\.resource) == found.map(\.resource) else { return false }
        buckets[key, default: []].append(entry)
        return true
    }

    mutating func store(_ box: AnyBox, _ key: Key, resource: Int) {
        guard let index = buckets[key]?.firstIndex(where: { $0.resource == resource }) else { return }
        buckets[key]?[index].box = box
    }

    /// Removes an entry, and returns it to be let go outside the lock.
    mutating func remove(_ key: Key, resource: Int) -> Entry? {
        guard let index = buckets[key]?.firstIndex(where: { $0.resource == resource }) else { return nil }
        let removed = buckets[key]?.remove(at: index)
        if bucket(key).isEmpty { buckets[key] = nil }
        return removed
    }

    /// Removes all that lasts until `point`, and returns it to be let go outside the lock.
    mutating func removeAll(until point: ReleasePoint) -> [Entry] {
        guard !buckets.isEmpty else { return [] }
        let removed = buckets.values.flatMap { $0.filter { $0.point == point } }
        guard !removed.isEmpty else { return [] }
        buckets = buckets.mapValues { $0.filter { $0.point != point } }.filter { !$0.value.isEmpty }
        return removed
    }
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
