/// The values of a store.
///
/// A request has few: looking through them costs less than hashing.
struct ValueTable: Sendable {
    private struct Entry: Sendable {
        /// The key's number, and in its lowest bit whether the value is for the request only.
        let tag: Int
        var box: AnyBox
    }

    private var entries: [Entry] = []
    private var named: [String: AnyBox] = [:]

    subscript(key: ValueKey) -> AnyBox? {
        get {
            switch key {
            case .key(let number): self[tag: number << 1]
            case .requestOnly(let number): self[tag: number << 1 | 1]
            case .name(let name): named[name]
            }
        }
        set {
            switch key {
            case .key(let number): self[tag: number << 1] = newValue
            case .requestOnly(let number): self[tag: number << 1 | 1] = newValue
            case .name(let name): named[name] = newValue
            }
        }
    }

    private subscript(tag tag: Int) -> AnyBox? {
        get {
            for entry in entries where entry.tag == tag { return entry.box }
            return nil
        }
        set {
            let index = entries.firstIndex { $0.tag == tag }
            switch (index, newValue) {
            case (let index?, let box?): entries[index].box = box
            case (let index?, nil): entries.remove(at: index)
            case (nil, let box?): entries.append(Entry(tag: tag, box: box))
            case (nil, nil): break
            }
        }
    }

    /// What work after the response gets.
    var carried: ValueTable {
        var carried = self
        carried.entries.removeAll { $0.tag & 1 == 1 }
        return carried
    }

    /// These values, and those of `other` in place of the ones under the same keys.
    func overlaid(by other: ValueTable) -> ValueTable {
        var result = self
        for entry in other.entries { result[tag: entry.tag] = entry.box }
        result.named.merge(other.named) { _, theirs in theirs }
        return result
    }
}

/// What a value is stored under.
///
/// Typed keys and names are apart.
@usableFromInline
enum ValueKey: Hashable, Sendable {
    case key(Int)
    /// A key whose value is not for the work after the response.
    case requestOnly(Int)
    case name(String)
}
