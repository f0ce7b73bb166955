/// What is current in few tasks, beside their store: the code that runs for a request and that its lifecycle knows of.
///
/// It is carried by the task of a factory, a release or a body of `use`, and by the tasks that those start, which may
/// outlive it.
///
/// Those of a factory are its acquisition itself.
class Surroundings: @unchecked Sendable {
    /// The current store: where a task outlives its request, or nobody owns the store, its slot does not lead to it.
    final let store: StoreCore?
    /// The factory, release or body that this is inside of, and the request whose lifecycle knows it.
    final let activity: Lifecycle.Activity?
    final let request: Int
    /// How many factories and releases were started in each other, to get here.
    final let depth: Int
    /// Those around this one.
    ///
    /// It changes when it is let go, and then nobody else refers to it.
    private final var outer: Surroundings?

    /// The code of an entry, started here.
    init(of core: StoreCore, entry: Int, inside present: Surroundings?) {
        let request = core.request.identity
        store = core
        activity = .entry(entry)
        self.request = request
        outer = present?.outside(of: request)
        depth = (present?.depth ?? 0) + 1
    }

    init(
        of core: StoreCore?,
        _ activity: Lifecycle.Activity? = nil,
        of request: Int = 0,
        inside outer: Surroundings?,
        depth: Int = 0
    ) {
        self.depth = depth
        store = core
        self.activity = activity
        self.request = request
        self.outer = outer
    }

    deinit {
        // One after the other: there may be many around this one that nothing else refers to.
        var next = outer.take()
        while var surroundings = next.take(), isKnownUniquelyReferenced(&surroundings) {
            next = surroundings.outer.take()
        }
    }

    /// Whether it is inside of nothing else, wherever that is.
    final var isInsideNothing: Bool { outer == nil && depth <= 1 }

    /// Whether it is inside of nothing that a lifecycle knows.
    final var isOutermost: Bool { activity == nil && outer == nil }

    /// Whether a factory, a function or a release is among those around, so that what is asked for is noted.
    final var isInsideEntry: Bool {
        var next: Surroundings? = self
        while let surroundings = next {
            if case .entry = surroundings.activity { return true }
            next = surroundings.outer
        }
        return false
    }

    /// A store that is not at its slot any more, if it is one of those around.
    final func store(numbered number: Int) -> StoreCore? {
        var next: Surroundings? = self
        while let surroundings = next {
            if let store = surroundings.store, store.identity == number { return store }
            next = surroundings.outer
        }
        return nil
    }

    /// The innermost activity of a request that still runs, from this one outward.
    final func innermost(of request: Int, in lifecycle: borrowing Lifecycle) -> Lifecycle.Activity? {
        var next: Surroundings? = self
        while let surroundings = next {
            if surroundings.request == request, let activity = surroundings.activity, lifecycle.isRunning(activity) {
                return activity
            }
            next = surroundings.outer
        }
        return nil
    }

    /// The innermost entry of a request whose code this is, whether it still runs or not.
    final func innermostEntry(of request: Int) -> Int? {
        var next: Surroundings? = self
        while let surroundings = next {
            if surroundings.request == request, case .entry(let entry) = surroundings.activity { return entry }
            next = surroundings.outer
        }
        return nil
    }

    /// Those around it that are other requests' affairs: a flight is inside of none of its own.
    final func outside(of request: Int) -> Surroundings? {
        var next: Surroundings? = self
        while let surroundings = next {
            if surroundings.activity != nil, surroundings.request != request { return surroundings }
            next = surroundings.outer
        }
        return nil
    }
}
