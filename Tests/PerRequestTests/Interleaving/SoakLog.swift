import Synchronization

@testable import PerRequest

/// How what happens in a request of the soak is seen.
enum SoakWatching: UInt64 {
    /// By an observer that is told.
    case told
    /// In logs, and nobody is told.
    case noted
    /// In both ways.
    case both
}

/// Keeps the logs of stores for an observer, and tells it at once what is noted there.
final class SoakLog: LoggingObserver {
    private let observer: any RequestObserver

    init(_ observer: any RequestObserver) { self.observer = observer }

    func observe(_ event: RequestEvent) { preconditionFailure("told, although it keeps logs: \(event.kind)") }

    func log(of store: RequestStore, openedIn parent: RequestStore?) -> (any EventLog)? {
        // A lock may be held: who hears of it must not ask the store for anything.
        observer.observe(RequestEvent(.other(.opened(parent: parent)), in: store.core))
        return Log(observer, store.core)
    }

    private final class Log: EventLog {
        private let observer: any RequestObserver
        private let store: Lock<Reference>

        /// The store refers to the log.
        private struct Reference: Sendable {
            weak var core: StoreCore?
        }

        init(_ observer: any RequestObserver, _ core: StoreCore) {
            self.observer = observer
            store = Lock(Reference(core: core))
        }

        func note(_ fact: RequestEvent.Fact) {
            guard let core = store.withLock({ $0.core }) else { preconditionFailure("noted of no store") }
            observer.observe(RequestEvent(fact, in: core))
        }

        func beginClosing() {}

        func close(_ outcome: RequestOutcome) { note(.other(.closed(outcome))) }
    }
}

extension SoakLedger {
    /// The observers of a request.
    func observers(_ watching: SoakWatching) -> [any RequestObserver] {
        switch watching {
        case .told: [self]
        case .noted: [SoakLog(self)]
        case .both: [SoakLog(noted), self]
        }
    }

    /// What is wrong with what was seen in both ways.
    var differences: [String] {
        // That a phase was entered is not noted where it ends at once; a limit may pass when all is over, and be noted and not
        // told yet.
        let (told, noted) = (events.counts, noted.counts)
        return told.keys.filter { !["entered", "limitPassed"].contains($0) && told[$0] != noted[$0] }
            .map { "\($0) was told \(told[$0] ?? 0) times, and noted \(noted[$0] ?? 0) times" }
    }
}
