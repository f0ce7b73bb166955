#if Inspector
/// The records of the stores that are open, so many of them, and of those that have closed last: so many, of such a size in
/// all, in parts and events.
///
/// The oldest of those that have closed go first: a few of them only when they can serve another store, until when nobody sees
/// them. The one that was added last stays, however large it is.
struct Shelf: Sendable {
    /// How many records wait to serve other stores.
    private static let spareLimit = 16

    /// Those of the open stores, each in its place.
    private var open: [Record?] = []
    private var freePlaces: [Int] = []
    private var closed: [(record: Record, size: Int)?]
    /// Where the oldest one is that has closed.
    private var first = 0
    private var count = 0
    private var size = 0
    private let capacity: Int
    private let sizeLimit: Int
    private var removed = 0
    private var hasEnded = false

    init(capacity: Int, sizeLimit: Int) {
        self.capacity = capacity
        self.sizeLimit = sizeLimit
        closed = Array(repeating: nil, count: capacity + Self.spareLimit)
    }

    /// How many are kept no longer, or were never.
    var forgotten: Int { removed + spareCount }

    private var spareCount: Int { max(count - capacity, 0) }

    /// Takes a place for a store that opens, and puts a record there that has served, if there is one.
    ///
    /// - Returns: `nil` where so many are open already: the store counts as forgotten. `removed` is a record that had to go.
    mutating func open(limit: Int) -> (place: Int, record: Record?, removed: Record?)? {
        guard !hasEnded, let place = takePlace(limit: limit) else {
            removed += 1
            return nil
        }
        guard spareCount > 0, var spare = removeFirst() else { return (place, nil, nil) }
        // Who else refers to it may note something there.
        guard isKnownUniquelyReferenced(&spare) else { return (place, nil, spare) }
        open[place] = spare
        return (place, spare, nil)
    }

    private mutating func takePlace(limit: Int) -> Int? {
        if let place = freePlaces.popLast() { return place }
        guard open.count < limit else { return nil }
        open.append(nil)
        return open.count - 1
    }

    /// Puts a record at a place that was taken.
    mutating func put(_ record: Record, at place: Int) { if !hasEnded { open[place] = record } }

    /// Removes one whose store is not to be seen.
    mutating func remove(at place: Int) {
        guard !hasEnded else { return }
        open[place] = nil
        freePlaces.append(place)
    }

    /// Moves one whose store has closed.
    ///
    /// - Returns: One that has to go; ``removeOverdue()`` gives the next.
    mutating func close(_ record: Record, at place: Int, _ size: Int) -> Record? {
        guard !hasEnded else { return nil }
        remove(at: place)
        let oldest = count == closed.count ? removeFirst() : nil
        var last = first + count
        if last >= closed.count { last -= closed.count }
        closed[last] = (record, size)
        count += 1
        self.size += size
        return oldest ?? removeOverdue()
    }

    /// The oldest one that has closed, if they are too large.
    mutating func removeOverdue() -> Record? { size > sizeLimit && count > 1 ? removeFirst() : nil }

    private mutating func removeFirst() -> Record? {
        let oldest = closed[first].take()
        first += 1
        if first == closed.count { first = 0 }
        count -= 1
        size -= oldest?.size ?? 0
        removed += 1
        return oldest?.record
    }

    /// Lets go of all, and keeps none from then on.
    mutating func end() -> [Record] {
        let records = open.compactMap(\.self) + closed.compactMap { $0?.record }
        self = Shelf(capacity: 0, sizeLimit: 0)
        hasEnded = true
        return records
    }

    /// All that are kept.
    var records: [Record] {
        let (first, spareCount) = (first, spareCount)
        let kept = closed.indices.compactMap { index in
            // How old one is, from 0 for the oldest.
            let age = (index - first + closed.count) % closed.count
            return age < spareCount ? nil : closed[index]?.record
        }
        return open.compactMap(\.self) + kept
    }
}
#endif
