/// Where an observer keeps what happens in a store, to look at it later.
///
/// To note what happens costs a fraction of what it costs to tell of it: no ``RequestEvent`` is made, and nothing waits for
/// its turn.
package protocol EventLog: AnyObject, Sendable {
    /// Notes what has happened just now: all but that the store has opened or closed.
    ///
    /// That settling was entered is not noted where it ends at once, and closing is not noted: see ``beginClosing()``. `serving` and
    /// `entered` may be noted of a store that has closed too, and mean nothing then.
    func note(_ fact: RequestEvent.Fact)

    /// Notes that the store begins to close, and what is set in it, which is still there.
    ///
    /// It may be noted more than once, and the first time counts. Of a child that its parent closes it is not noted.
    func beginClosing()

    /// Notes that the store has closed.
    func close(_ outcome: RequestOutcome)
}

/// An observer that opens a log for each store, and is told of nothing.
package protocol LoggingObserver: RequestObserver, AnyObject {
    /// Opens the log of a store that was opened, of which nobody else knows yet.
    ///
    /// It may be called under a lock: no user's code may run then, and nothing of a user's may be let go. The store lets go of the
    /// log when it serves another request.
    ///
    /// - Returns: `nil` if nothing is to be noted.
    func log(of store: RequestStore, openedIn parent: RequestStore?) -> (any EventLog)?
}

/// The logs of several observers.
private final class EventLogs: EventLog {
    let first: any EventLog
    let second: any EventLog

    init(_ first: any EventLog, _ second: any EventLog) { (self.first, self.second) = (first, second) }

    func note(_ fact: RequestEvent.Fact) {
        first.note(fact)
        second.note(fact)
    }

    func beginClosing() {
        first.beginClosing()
        second.beginClosing()
    }

    func close(_ outcome: RequestOutcome) {
        first.close(outcome)
        second.close(outcome)
    }

    var all: [any EventLog] { ((first as? EventLogs)?.all ?? [first]) + [second] }
}

extension StoreCore {
    /// Opens what is kept of the store, of which nobody else knows yet.
    @inline(never)
    func openLogs(in parent: StoreCore? = nil) {
        let logging = configuration.logging
        guard !logging.isEmpty else { return }
        let store = RequestStore(core: self)
        let parent = parent.map { RequestStore(core: $0) }
        for index in logging.indices {
            guard let new = logging[index].log(of: store, openedIn: parent) else { continue }
            log = log.map { EventLogs($0, new) } ?? new
        }
    }
}

extension RequestStore {
    /// The logs that are kept of the store.
    package var logs: [any EventLog] {
        guard let log = core.log else { return [] }
        return (log as? EventLogs)?.all ?? [log]
    }
}
