#if Inspector
/// The records of the stores that are open, so many of them, and of those that have closed last: so many, with so many parts in
/// all.
///
/// The oldest of those that have closed go first. The one that was added last stays, however many parts it has.
struct Shelf: Sendable {
    /// How many records are kept to serve other stores.
    private static let spareLimit = 16

    /// Those of the open stores, each in its place.
    private var open: [Record?] = []
    private var freePlaces: [Int] = []
    private var closed: [(record: Record, parts: Int)?]
    /// Where the oldest one is that has closed.
    private var first = 0
    private var count = 0
    private var parts = 0
    private let partLimit: Int
    /// Those that are kept no longer, to serve other stores.
    private var spares: [Record] = []
    private(set) var forgotten = 0

    init(capacity: Int, partLimit: Int) {
        self.partLimit = partLimit
        closed = Array(repeating: nil, count: capacity)
    }

    /// Takes a place for a store that opens, and puts a record there that has served, if there is one and it is wanted.
    ///
    /// - Returns: `nil` where so many are open already: the store counts as forgotten.
    mutating func open(limit: Int, reusing: Bool) -> (place: Int, record: Record?)? {
        guard let place = takePlace(limit: limit) else {
            forgotten += 1
            return nil
        }
        if reusing { open[place] = takeSpare() }
        return (place, open[place])
    }

    private mutating func takePlace(limit: Int) -> Int? {
        if let place = freePlaces.popLast() { return place }
        guard open.count < limit else { return nil }
        open.append(nil)
        return open.count - 1
    }

    /// Puts a record at a place that was taken.
    mutating func put(_ record: Record, at place: Int) { open[place] = record }

    /// One that nobody refers to any more.
    private mutating func takeSpare() -> Record? {
        while var spare = spares.popLast() { if isKnownUniquelyReferenced(&spare) { return spare } }
        return nil
    }

    /// Keeps one that has been emptied, to serve another store.
    mutating func giveBack(_ record: Record) {
        if record.isAlone, spares.count < Self.spareLimit { spares.append(record) }
    }

    /// Removes one whose store is not to be seen.
    mutating func remove(at place: Int) {
        open[place] = nil
        freePlaces.append(place)
    }

    /// Moves one whose store has closed.
    ///
    /// - Returns: One that has to go; ``removeOverdue()`` gives the next.
    mutating func close(_ record: Record, at place: Int, _ parts: Int) -> Record? {
        remove(at: place)
        let removed = count == closed.count ? removeFirst() : nil
        var last = first + count
        if last >= closed.count { last -= closed.count }
        closed[last] = (record, parts)
        count += 1
        self.parts += parts
        return removed ?? removeOverdue()
    }

    /// The oldest one that has closed, if there are too many parts.
    mutating func removeOverdue() -> Record? { parts > partLimit && count > 1 ? removeFirst() : nil }

    private mutating func removeFirst() -> Record? {
        let removed = closed[first].take()
        first += 1
        if first == closed.count { first = 0 }
        count -= 1
        parts -= removed?.parts ?? 0
        forgotten += 1
        return removed?.record
    }

    /// All that are kept.
    var records: [Record] { open.compactMap(\.self) + closed.compactMap { $0?.record } }
}
#endif
