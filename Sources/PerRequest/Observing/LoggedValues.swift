import Synchronization

/// The values of requests that applications have marked: their keys say how they are shown.
enum LoggedValues {
    private struct Key: Sendable {
        let name: String
        let tag: Int32
        let show: @Sendable (StoredValue) -> String?
    }

    private static let keys = Lock<[Key]>([])

    /// Marks the values of a key.
    ///
    /// - Parameter show: How one is shown; `nil` where it is not.
    static func mark(_ name: String, _ tag: Int32, _ show: @escaping @Sendable (StoredValue) -> String?) {
        guard tag != Declarations.refusedTag else { return }
        keys.withLock { $0.append(Key(name: name, tag: tag, show: show)) }
    }

    /// The marked values that have been set in a store or above it, in the order in which their keys were first used.
    static func visible(in core: StoreCore) -> [(name: String, value: String)] {
        keys.withLock { $0 }.compactMap { key in
            guard case .found(let value, _) = core.read(.key(key.tag)) else { return nil }
            return key.show(value).map { (key.name, $0) }
        }
    }

    /// These keys' values in this very store, as they are shown: those that are marked.
    static func show(_ tags: ArraySlice<Int32>, in core: StoreCore) -> [(tag: Int32, shown: String?)] {
        let marked = keys.withLock { $0 }
        return tags.map { tag in
            guard let key = marked.first(where: { $0.tag == tag }), case .found(let value, true) = core.read(.key(tag))
            else { return (tag, nil) }
            return (tag, key.show(value))
        }
    }
}
