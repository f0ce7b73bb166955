import Synchronization

/// Numbers that are given once in the life of the process: the identities of keys and stores (rule 7).
enum Identity {
    private static let lastKey = Atomic<Int>(0)
    private static let lastLocal = Atomic<Int>(0)
    private static let lastStore = Atomic<Int>(0)

    static func nextKey() -> Int { lastKey.add(1, ordering: .relaxed).newValue }

    /// Numbers of their own, close together: they are places in a ``Slot``.
    static func nextLocal() -> Int { lastLocal.add(1, ordering: .relaxed).newValue }

    static func nextStore() -> Int { lastStore.add(1, ordering: .relaxed).newValue }
}
