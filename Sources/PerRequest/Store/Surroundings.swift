/// What is current in few tasks, beside their store: the code that runs for a request and that its lifecycle knows of.
///
/// It is carried by the task of a factory, a release or a body of `use`, and by the tasks that those start, which may
/// outlive it.
final class Surroundings: @unchecked Sendable {
    /// The id that the request was given: the store is not there any more to say it when a task outlives its request.
    let id: String?
    /// The current store, if nobody owns it: it lives for as long as somebody refers to it.
    let privateStore: StoreCore?
    /// The factory, release or body that this is inside of, and the request whose lifecycle knows it.
    let activity: Lifecycle.Activity?
    let request: Int
    /// How many factories and releases were started in each other, to get here.
    let depth: Int
    /// Those around this one.
    ///
    /// It changes when it is let go, and then nobody else refers to it.
    private var outer: Surroundings?

    init(
        of core: StoreCore?,
        _ activity: Lifecycle.Activity? = nil,
        of request: Int = 0,
        inside outer: Surroundings?,
        depth: Int = 0
    ) {
        self.depth = depth
        id = core?.givenID
        privateStore = core.flatMap { $0.isOwned ? nil : $0 }
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

    /// Whether it is inside of nothing that a lifecycle knows.
    var isOutermost: Bool { activity == nil && outer == nil }

    /// Whether a factory, a function or a release is among those around, so that what is asked for is noted.
    var isInsideEntry: Bool {
        var next: Surroundings? = self
        while let surroundings = next {
            if case .entry = surroundings.activity { return true }
            next = surroundings.outer
        }
        return false
    }

    /// The innermost activity of a request that still runs, from this one outward.
    func innermost(of request: Int, in lifecycle: borrowing Lifecycle) -> Lifecycle.Activity? {
        var next: Surroundings? = self
        while let surroundings = next {
            if surroundings.request == request, let activity = surroundings.activity, lifecycle.isRunning(activity) {
                return activity
            }
            next = surroundings.outer
        }
        return nil
    }

    /// Those around it that are other requests' affairs: a flight is inside of none of its own.
    func outside(of request: Int) -> Surroundings? {
        var next: Surroundings? = self
        while let surroundings = next {
            if surroundings.activity != nil, surroundings.request != request { return surroundings }
            next = surroundings.outer
        }
        return nil
    }
}
