/// Values outside their home places in a ``Slot``, and the values that a store leaves to the work after the response.
///
/// A request has few: looking through them costs less than hashing.
@usableFromInline
struct ValueTable: Sendable {
    struct Entry: Sendable {
        let tag: Int32
        var value: StoredValue
    }

    private(set) var tagged: [Entry] = []
    private var named: [String: StoredValue]?

    var isEmpty: Bool { tagged.isEmpty && named == nil }

    subscript(key: ValueKey) -> StoredValue? {
        get {
            switch key {
            case .key(let tag):
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
        guard let index = tagged.firstIndex(where: { $0.tag == tag }) else {
            if let value { tagged.append(Entry(tag: tag, value: value)) }
            return
        }
        if let value { tagged[index].value = value } else { tagged.remove(at: index) }
    }

    /// What work after the response gets.
    var carried: ValueTable {
        var carried = self
        carried.tagged.removeAll { !ValueKey.isCarried($0.tag) }
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
