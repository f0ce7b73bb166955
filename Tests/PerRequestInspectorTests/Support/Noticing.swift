#if Inspector
import PerRequest
import Synchronization

/// An observer that does something; to be given behind the inspector, which has seen then what it sees.
struct Noticing: RequestObserver {
    private let body: @Sendable (RequestEvent) -> Void

    init(_ body: @escaping @Sendable (RequestEvent) -> Void) { self.body = body }

    func observe(_ event: RequestEvent) { body(event) }

    /// Opens a gate when so many events have come.
    static func count(
        _ number: Int,
        of isCounted: @escaping @Sendable (RequestEvent) -> Bool
    ) -> (observer: Noticing, gate: Gate) {
        let gate = Gate()
        let count = Counter()
        let observer = Noticing { event in
            if isCounted(event), count.value.add(1, ordering: .relaxed).newValue == number { gate.open() }
        }
        return (observer, gate)
    }

    private final class Counter: Sendable {
        let value = Atomic(0)
    }
}

#endif
