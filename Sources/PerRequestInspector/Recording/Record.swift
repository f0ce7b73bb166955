#if Inspector
import PerRequest
import Synchronization

/// Where a store's timeline is kept: attached to the store, so that no event has to look for it.
final class Record: Sendable {
    let timeline: Mutex<Timeline>
    /// Of which ``Recorder`` it is.
    private let owner: ObjectIdentifier
    /// What another one has attached before.
    private let next: Record?

    init(of recorder: Recorder, before next: Record?) {
        timeline = Mutex(Timeline())
        owner = ObjectIdentifier(recorder)
        self.next = next
    }

    /// Whether nothing else is attached with it, so that it can serve another store.
    var isAlone: Bool { next == nil }

    /// The one of a recorder among those that are attached with this one.
    func record(of recorder: Recorder) -> Record? {
        // Nearly always there is one inspector.
        owner == ObjectIdentifier(recorder) ? self : next?.record(of: recorder)
    }
}
#endif
