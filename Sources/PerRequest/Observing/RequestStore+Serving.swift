import Synchronization

// What adapters tell observers.

extension RequestEvent {
    private static let hasObservers = Atomic(false)

    /// Whether any store of the process has an observer: asked for where finding the store would cost.
    package static var isObserved: Bool { hasObservers.load(ordering: .relaxed) }

    static func willBeObserved() { hasObservers.store(true, ordering: .relaxed) }
}

extension RequestStore {
    /// Tells observers what the request asks for, unless it is over.
    package func serving(_ served: @autoclosure () -> RequestEvent.Served) {
        if core.isObserved { core.announce(served()) }
    }

    /// Tells observers what the request asks for, and that it has come to a phase, unless it is over.
    package func serving(_ served: @autoclosure () -> RequestEvent.Served, in phase: RequestEvent.Phase) {
        if core.isObserved { core.announce(phase, served()) }
    }

    /// Tells observers that the request has come to a phase, unless it is over.
    package func enter(_ phase: RequestEvent.Phase) {
        if core.isObserved { core.announce(phase) }
    }
}
