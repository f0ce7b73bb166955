/// Things under numbers that are never given twice.
///
/// Adding, finding and removing cost the same however many there are: a number says where its thing is, and places are used
/// again under other numbers.
struct Slab<Element: SlabElement>: Hashable, Sendable {
    private struct Slot: Hashable, Sendable {
        /// The number of what is here, or of what was here last.
        var id: Int
        /// The next free place; -1 for none, ``inUse`` where something is here.
        var nextFree = Slab.inUse
        var element: Element
    }

    private static var inUse: Int32 { -2 }

    /// How many places there can be at once; what is above that in a number counts how often its place was used.
    private static var places: Int { SlabTable<Int>.places }

    private var slots: [Slot] = []
    private var firstFree: Int32 = -1
    private(set) var count: Int32 = 0

    /// Where the thing of a number is, if it is there.
    func place(of id: Int) -> Int32? {
        guard id >= 0 else { return nil }
        let place = id & (Self.places - 1)
        guard place < slots.count, slots[place].id == id, slots[place].nextFree == Self.inUse else { return nil }
        return Int32(truncatingIfNeeded: place)
    }

    /// The number of what is at a place.
    func id(at place: Int32) -> Int { slots[Int(place)].id }

    /// What is at a place.
    subscript(place: Int32) -> Element {
        @inline(__always) _read { yield slots[Int(place)].element }
        @inline(__always) _modify { yield &slots[Int(place)].element }
    }

    /// Adds a thing.
    mutating func insert(_ element: Element) -> (id: Int, place: Int32) {
        count += 1
        guard firstFree >= 0 else {
            precondition(slots.count < Self.places, "too many at once")
            slots.append(Slot(id: slots.count, element: element))
            return (slots.count - 1, Int32(truncatingIfNeeded: slots.count - 1))
        }
        let place = firstFree
        firstFree = slots[Int(place)].nextFree
        slots[Int(place)].id += Self.places
        slots[Int(place)].nextFree = Self.inUse
        slots[Int(place)].element = element
        return (slots[Int(place)].id, place)
    }

    mutating func remove(at place: Int32) {
        slots[Int(place)].element.clear()
        slots[Int(place)].nextFree = firstFree
        firstFree = place
        count -= 1
    }

    /// Whether something is at a place.
    func isAt(_ place: Int32) -> Bool { slots[Int(place)].nextFree == Self.inUse }

    /// Whether nothing was ever added.
    var isUntouched: Bool { slots.isEmpty }

    /// Where all things are.
    var all: some Sequence<Int32> {
        slots.indices.lazy.filter { slots[$0].nextFree == Self.inUse }.map { Int32(truncatingIfNeeded: $0) }
    }
}

/// What can be in a slab.
protocol SlabElement: Hashable, Sendable {
    /// Lets go of all that it refers to: it is out of use.
    mutating func clear()
}

/// What is kept for the things of a slab outside of it, under the same numbers.
struct SlabTable<Value: Sendable>: Sendable {
    fileprivate static var places: Int { 1 << 24 }

    private var slots: [(id: Int, value: Value?)] = []

    subscript(id: Int) -> Value? {
        get {
            let place = id & (Self.places - 1)
            return id >= 0 && place < slots.count && slots[place].id == id ? slots[place].value : nil
        }
        set {
            let place = id & (Self.places - 1)
            if place < slots.count {
                // The place may be another's by now.
                if newValue != nil ? slots[place].id <= id : slots[place].id == id { slots[place] = (id, newValue) }
            } else if newValue != nil {
                while slots.count < place { slots.append((-1, nil)) }
                slots.append((id, newValue))
            }
        }
    }

    /// Removes the value under a number, and returns it.
    mutating func remove(_ id: Int) -> Value? {
        let place = id & (Self.places - 1)
        guard id >= 0, place < slots.count, slots[place].id == id else { return nil }
        defer { slots[place].value = nil }
        return slots[place].value
    }

    /// For how many there is room without taking more memory.
    var capacity: Int { slots.capacity }

    /// The values, in no order.
    var all: [Value] { slots.compactMap(\.value) }
}

// MARK: - Lists

/// The first and the last of some things in a slab that are in a row.
struct SlabList: Hashable, Sendable {
    var first: Int32 = -1
    var last: Int32 = -1

    var isEmpty: Bool { first < 0 }
}

/// The neighbours of a thing in a row.
struct SlabLinks: Hashable, Sendable {
    var previous: Int32 = -1
    var next: Int32 = -1
}

/// The rows that a thing can be in.
enum SlabRow: Sendable {
    /// Among those of the same owner.
    case owner
    /// Among those that can be released, or those that are inside of the same activity.
    case other
}

/// What can be in a row with others.
protocol SlabListed: SlabElement {
    subscript(row: SlabRow) -> SlabLinks { get set }
}

extension Slab where Element: SlabListed {
    mutating func append(_ place: Int32, to list: inout SlabList, _ row: SlabRow) {
        self[place][row] = SlabLinks(previous: list.last)
        if list.last >= 0 { self[list.last][row].next = place } else { list.first = place }
        list.last = place
    }

    /// Adds something behind another one, or as the first.
    mutating func insert(_ place: Int32, after previous: Int32, in list: inout SlabList, _ row: SlabRow) {
        let next = previous >= 0 ? self[previous][row].next : list.first
        self[place][row] = SlabLinks(previous: previous, next: next)
        if previous >= 0 { self[previous][row].next = place } else { list.first = place }
        if next >= 0 { self[next][row].previous = place } else { list.last = place }
    }

    mutating func remove(_ place: Int32, from list: inout SlabList, _ row: SlabRow) {
        let links = self[place][row]
        if links.previous >= 0 { self[links.previous][row].next = links.next } else { list.first = links.next }
        if links.next >= 0 { self[links.next][row].previous = links.previous } else { list.last = links.previous }
        self[place][row] = SlabLinks()
    }

    /// Where those of a list are, from the first to the last.
    func places(in list: SlabList, _ row: SlabRow) -> SlabPlaces<Element> {
        SlabPlaces(slab: self, row: row, place: list.first)
    }
}

/// Where the things of a list are.
struct SlabPlaces<Element: SlabListed>: Sequence, IteratorProtocol {
    fileprivate let slab: Slab<Element>
    fileprivate let row: SlabRow
    fileprivate var place: Int32

    mutating func next() -> Int32? {
        guard place >= 0 else { return nil }
        defer { place = slab[place][row].next }
        return place
    }
}
