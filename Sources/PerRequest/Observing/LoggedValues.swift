import Synchronization

/// The values of requests that applications have marked: their keys say how they are shown.
enum LoggedValues {
    private struct Key: Sendable {
        let name: String
        let tag: Int32
        let show: @Sendable (StoredValue) -> String?
    }

    private static let keys = Lock<[Key]>([])
    private static let hasKeys = Atomic(false)

    /// Whether there can be any.
    static var areMarked: Bool { hasKeys.load(ordering: .relaxed) }

    /// Marks the values of a key.
    ///
    /// - Parameter show: How one is shown; `nil` where it is not.
    static func mark(_ name: String, _ tag: Int32, _ show: @escaping @Sendable (StoredValue) -> String?) {
        guard tag != Declarations.refusedTag else { return }
        keys.withLock { $0.append(Key(name: name, tag: tag, show: show)) }
        hasKeys.store(true, ordering: .relaxed)
    }

    /// The marked values that have been set in a store or above it, in the order in which their keys were first used.
    static func visible(in core: StoreCore) -> [(name: String, value: String)] {
        keys.withLock { $0 }.compactMap { key in
            guard case .found(let value, _) = core.read(.key(key.tag)) else { return nil }
            return key.show(value).map { (key.name, $0) }
        }
    }

    /// How the values are shown that have been set in this very store and are marked, by the tags of their keys.
    static func shown(_ tags: [Int32], in core: StoreCore) -> [Int32: String] {
        var shown: [Int32: String] = [:]
        for key in keys.withLock({ $0 }) where tags.contains(key.tag) {
            if case .found(let value, true) = core.read(.key(key.tag)) { shown[key.tag] = key.show(value) }
        }
        return shown
    }
}
