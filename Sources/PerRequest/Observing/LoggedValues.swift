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

    /// Adds how the values are shown that have been set in this very store and are marked.
    static func show(_ values: inout [(tag: Int32, shown: String?)], in core: StoreCore) {
        for key in keys.withLock({ $0 }) {
            guard let index = values.firstIndex(where: { $0.tag == key.tag }),
                case .found(let value, true) = core.read(.key(key.tag))
            else { continue }
            values[index].shown = key.show(value)
        }
    }
}
