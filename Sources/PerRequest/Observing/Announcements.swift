extension Lifecycle {
    /// Whether an opener's event is the first of its kind, so that something begins with it.
    func isBegun(by event: Event) -> Bool {
        switch event {
        case .settle(let scope, _): phase(of: scope) == .open
        case .close(let scope, _, _): phase(of: scope) < .closing && !closeRequested(scope)
        default: false
        }
    }
}

/// What observers have not been told of a store's phases.
///
/// One thread tells them at a time, so that they hear of the phases in order. Used under the request's lock only.
final class Announcements: @unchecked Sendable {
    var isTelling = false
    private var waiting: [RequestEvent.Fact] = []
    /// Whether anybody is told; else there are logs only, where phases are noted at once.
    private let hasListeners: Bool

    init(hasListeners: Bool) { self.hasListeners = hasListeners }

    /// Adds what is to be told.
    ///
    /// - Returns: Whether the caller has to see to it: nobody else is telling anything.
    func add(_ fact: RequestEvent.Fact) -> Bool {
        guard hasListeners || !fact.isOfOpenStore else { return false }
        waiting.append(fact)
        defer { isTelling = true }
        return !isTelling
    }

    /// Adds what is to be told, unless nobody else is telling anything: then the caller tells it, and what has been added
    /// meanwhile.
    ///
    /// - Parameter second: What is to be told after it.
    /// - Returns: Whether the caller tells them.
    func admit(_ fact: RequestEvent.Fact, _ second: RequestEvent.Fact? = nil) -> Bool {
        guard hasListeners else { return true }
        guard isTelling else {
            isTelling = true
            return true
        }
        waiting.append(fact)
        if let second { waiting.append(second) }
        return false
    }

    /// The same of the last one, and the one before it: when they have been told, the store may serve another request.
    func admitLast(_ entered: RequestEvent.Fact?, _ closed: @autoclosure () -> RequestEvent.Fact) -> Bool {
        guard isTelling else { return true }
        if let entered { waiting.append(entered) }
        waiting.append(closed())
        return false
    }

    /// What is to be told next; `nil` where that is all.
    func next() -> RequestEvent.Fact? {
        isTelling = !waiting.isEmpty
        guard isTelling else { return nil }
        let fact = waiting.removeFirst()
        // That is the last one; the store may serve another request.
        if fact.end != nil { isTelling = false }
        return fact
    }
}
