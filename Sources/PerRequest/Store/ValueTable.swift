/// Values outside their home places in a ``Slot``, and the values that a store leaves to the work after the response.
///
/// A request has few: looking through them costs less than hashing, up to some sixteen.
@usableFromInline
struct ValueTable: Sendable {
    struct Entry: Sendable {
        let tag: Int32
        var value: StoredValue
    }

    private(set) var tagged: [Entry] = []
    /// Where a tag's entry is, once there are too many to look through them.
    private var places: [Int32: Int]?
    private var named: [String: StoredValue]?

    var isEmpty: Bool { tagged.isEmpty && named == nil }

    subscript(key: ValueKey) -> StoredValue? {
        get {
            switch key {
            case .key(let tag):
                if let places { return places[tag].map { tagged[$0].value } }
                for entry in tagged where entry.tag == tag { return entry.value }
                return nil
            case .name(let name):
                return named?[name]
            }
        }
        set {
            switch key {
            case .key(let tag): set(newValue, tag)
            case .name(let name):
                named = named ?? [:]
                named?[name] = newValue
            }
        }
    }

    private mutating func set(_ value: StoredValue?, _ tag: Int32) {
        guard let index = place(of: tag) else {
            guard let value else { return }
            places?[tag] = tagged.count
            tagged.append(Entry(tag: tag, value: value))
            if places == nil, tagged.count > 16 { notePlaces() }
            return
        }
        if let value {
            tagged[index].value = value
            return
        }
        // The last one takes its place.
        places?[tag] = nil
        let last = tagged.removeLast()
        guard index < tagged.count else { return }
        tagged[index] = last
        places?[last.tag] = index
    }

    private func place(of tag: Int32) -> Int? {
        if let places { return places[tag] }
        return tagged.firstIndex { $0.tag == tag }
    }

    private mutating func notePlaces() {
        var places: [Int32: Int] = [:]
        for (place, entry) in tagged.enumerated() { places[entry.tag] = place }
        self.places = places
    }

    /// What work after the response gets.
    var carried: ValueTable {
        guard !tagged.isEmpty else { return self }
        var carried = self
        carried.tagged.removeAll { !ValueKey.isCarried($0.tag) }
        if carried.places != nil { carried.notePlaces() }
        return carried
    }

    /// These values, and those of `other` in place of the ones under the same keys.
    func overlaid(by other: ValueTable) -> ValueTable {
        var result = self
        for entry in other.tagged { result.set(entry.value, entry.tag) }
        if let theirs = other.named { result.named = (named ?? [:]).merging(theirs) { _, theirs in theirs } }
        return result
    }

    /// Takes the values under names from another table.
    mutating func copyNames(of other: ValueTable) { named = other.named }
}

/// What a value is stored under.
///
/// Typed keys and names are apart.
enum ValueKey: Hashable, Sendable {
    /// A typed key's tag.
    case key(Int32)
    case name(String)

    /// The tag of the key of that number: the number, and in its lowest bit whether its value is not for the work after
    /// the response.
    static func tag(_ number: Int, isCarried: Bool) -> Int32 { Int32(number) << 1 | (isCarried ? 0 : 1) }

    static func isCarried(_ tag: Int32) -> Bool { tag & 1 == 0 }
}
