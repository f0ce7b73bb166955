import Synchronization

/// A factory that runs, and those around it: what is acquired inside is what its resource is built on (rule 11).
///
/// A store is always a child of the stores of the factories that are current with it, or their own store.
final class RunningFactory: Sendable {
    let core: StoreCore
    let entry: Int
    /// The resource's name.
    let name: String
    /// The factory that this one was started in, or that the store was opened in.
    let outer: RunningFactory?

    init(core: StoreCore, entry: Int, name: String, inside outer: RunningFactory?) {
        self.core = core
        self.entry = entry
        self.name = name
        // What a parent's factory acquires is not built on the child's resource that asked for it first.
        var outer = outer
        while let next = outer, core !== next.core, !core.descends(from: next.core) { outer = next.outer }
        self.outer = outer
    }

    /// Whether it still runs; a task that its factory started may outlive it.
    var isFlying: Bool { core.state.withLock { $0.lifecycle.isFlying(entry) } }

    /// The innermost factory of `core`, from this one outward.
    func nearest(in core: StoreCore) -> RunningFactory? {
        self.core === core ? self : outer?.nearest(in: core)
    }

    /// Whether this is `other`, or inside of it.
    func isInside(_ other: RunningFactory) -> Bool {
        self === other || outer?.isInside(other) ?? false
    }

    /// The names from `other`, which is around this one, inward to this one.
    func names(from other: RunningFactory) -> [String] {
        self === other ? [name] : (outer?.names(from: other) ?? []) + [name]
    }
}
