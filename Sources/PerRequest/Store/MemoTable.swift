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

    /// What is in it, if anything ever was: most stores have no memos.
    private var contents: Contents?

    /// Read and written by whoever has the table.
    private final class Contents: @unchecked Sendable {
        var buckets: [Key: [Entry]] = [:]
        /// The memos whose values were asked for again.
        var hits: [Int: MemoHits] = [:]
    }

    private var buckets: [Key: [Entry]] {
        get { contents?.buckets ?? [:] }
        _modify {
            if contents == nil { contents = Contents() }
            yield &contents!.buckets
        }
    }

    var isEmpty: Bool { contents == nil || buckets.isEmpty }

    /// Forgets where values were found, of which none is left.
    mutating func forgetPlaces() { contents = nil }

    func bucket(_ key: Key) -> [Entry] { buckets[key] ?? [] }

    func entry(_ key: Key, id: Int) -> Entry? { buckets[key]?.first { $0.id == id } }

    /// Adds an entry, unless the bucket has changed since it was found.
    mutating func add(_ entry: Entry, to key: Key, expecting found: [Entry]) -> Bool {
        guard bucket(key).map(\.id) == found.map(\.id) else { return false }
        buckets[key, default: []].append(entry)
        return true
    }

    /// Keeps a value where it is found sooner, if it is still there.
    ///
    /// - Returns: The place of the memo's values, if it is a new one.
    mutating func hit(_ key: Key, id: Int) -> MemoHits? {
        guard let entry = entry(key, id: id), let box = entry.box else { return nil }
        let present = contents?.hits[key.memo]
        let hits = present ?? MemoHits()
        hits.keep(entry.arguments, box)
        guard present == nil else { return nil }
        contents?.hits[key.memo] = hits
        return hits
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
        contents?.hits[key.memo]?.forget(key.hash)
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
            contents?.hits[key.memo]?.forget(key.hash)
            buckets[key] = due.count == bucket.count ? nil : bucket.filter { !isDue(key, $0) }
        }
        return removed
    }

    /// The lifecycle's entries of all that is in the table.
    var entries: [Int] { buckets.values.flatMap { $0.map(\.entry) }.filter { $0 >= 0 } }
}
