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

    /// Whether it is of a recorder.
    func isOf(_ recorder: Recorder) -> Bool { owner == ObjectIdentifier(recorder) }

    /// The one of a recorder among those that were attached before this one.
    func earlier(of recorder: Recorder) -> Record? {
        guard let next else { return nil }
        return next.isOf(recorder) ? next : next.earlier(of: recorder)
    }
}
#endif
