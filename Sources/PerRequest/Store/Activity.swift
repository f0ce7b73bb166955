import Synchronization

/// Code that runs for a request and that its lifecycle knows of, with the activities that it is inside of.
///
/// It is carried by the task of a factory, a release or a body of `use`, and by the tasks that those start, which may
/// outlive it.
final class Activity: Sendable {
    /// The request whose lifecycle knows it.
    let request: Int
    let id: Lifecycle.Activity
    /// How many factories and releases were started one inside of the other, at least on the present stack.
    let depth: Int
    private let outer: Lock<Activity?>

    init(_ id: Lifecycle.Activity, of request: Int, inside outer: Activity?, depth: Int? = nil) {
        self.id = id
        self.request = request
        self.depth = depth ?? outer?.depth ?? 0
        self.outer = Lock(outer)
    }

    /// Whether it is started on the stack of what asked for it: a chain of factories may be longer than a stack is deep.
    var startsImmediately: Bool { depth % 16 != 0 }

    deinit {
        // One after the other: there may be many around this one that nothing else refers to.
        var next = outer.withLock { $0.take() }
        while var activity = next.take(), isKnownUniquelyReferenced(&activity) {
            next = activity.outer.withLock { $0.take() }
        }
    }

    /// Whether a factory, a function or a release is among those around, so that what is asked for is noted.
    var isOfEntry: Bool {
        var next: Activity? = self
        while let activity = next {
            if case .entry = activity.id { return true }
            next = activity.outer.withLock { $0 }
        }
        return false
    }

    /// The innermost one of a request that still runs, from this one outward.
    func innermost(of request: Int, in lifecycle: borrowing Lifecycle) -> Lifecycle.Activity? {
        var next: Activity? = self
        while let activity = next {
            if activity.request == request, lifecycle.isRunning(activity.id) { return activity.id }
            next = activity.outer.withLock { $0 }
        }
        return nil
    }

    /// Those around it that are other requests' affairs: a flight is inside of none of its own.
    func outside(of request: Int) -> Activity? {
        var next: Activity? = self
        while let activity = next {
            if activity.request != request { return activity }
            next = activity.outer.withLock { $0 }
        }
        return nil
    }
}
