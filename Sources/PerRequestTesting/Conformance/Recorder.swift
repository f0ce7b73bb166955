import PerRequest
import PerRequestAdapters
import Synchronization

/// Sees what the stores of a server do, notes what a check tells it, and can be waited on.
final class Recorder: RequestObserver {
    /// A store as some code saw it.
    struct Sighting: Sendable {
        let codePath: RequestCodePath
        let place: String
        let store: RequestStore?
        let isClosed: Bool
    }

    struct State: Sendable {
        var opened: [RequestStore] = []
        var outcomes: [RequestOutcome] = []
        var closed: [RequestStore] = []
        var acquired = 0
        var released = 0
        var notes: [String] = []
        var sightings: [Sighting] = []
        var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextWatcher = 0
    }

    private let mutex = Lock(State())

    var state: State { mutex.withLock { $0 } }

    /// Notes that something happened.
    func note(_ text: String) { change { $0.notes.append(text) } }

    /// Notes which store is current.
    func see(_ codePath: RequestCodePath, _ place: String) {
        let store = RequestStore.current
        let sighting = Sighting(codePath: codePath, place: place, store: store, isClosed: store?.isClosed ?? true)
        change { $0.sightings.append(sighting) }
    }

    private func change(_ body: @Sendable (inout State) -> Void) {
        let watchers = mutex.withLock { state in
            body(&state)
            return state.watchers.values.map { $0 }
        }
        for watcher in watchers { watcher.yield() }
    }

    // MARK: - RequestObserver

    func observe(_ event: RequestEvent) {
        switch event.kind {
        case .opened: change { $0.opened.append(event.store) }
        case .acquired: change { $0.acquired += 1 }
        case .released: change { $0.released += 1 }
        case .closed(let outcome):
            change { state in
                state.closed.append(event.store)
                state.outcomes.append(outcome)
            }
        default: break
        }
    }

    // MARK: - Waiting

    /// Waits until `find` finds something.
    ///
    /// - Throws: A ``ConformanceFailure`` where it does not for a long time.
    func wait<Found: Sendable>(
        for what: String,
        _ find: @escaping @Sendable (State) -> Found?
    ) async throws -> Found {
        try await withThrowingTaskGroup(of: Found.self) { group in
            group.addTask {
                for await _ in self.changes() {
                    if let found = find(self.state) { return found }
                }
                throw CancellationError()
            }
            group.addTask {
                let patience = ConformanceCheck.patience
                try await Task.sleep(for: patience)
                throw ConformanceFailure("in \(patience) there is no \(what); there was: \(self.state.notes)")
            }
            defer { group.cancelAll() }
            guard let found = try await group.next() else { throw CancellationError() }
            return found
        }
    }

    /// The changes from now on, the first one at once.
    private func changes() -> AsyncStream<Void> {
        let (changes, watcher) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let number = mutex.withLock { state in
            defer { state.nextWatcher += 1 }
            state.watchers[state.nextWatcher] = watcher
            return state.nextWatcher
        }
        watcher.onTermination = { _ in self.mutex.withLock { $0.watchers[number] = nil } }
        watcher.yield()
        return changes
    }

    /// Waits for a note.
    func wait(for note: String) async throws {
        try await wait(for: "note of \"\(note)\"") { $0.notes.contains(note) ? () : nil }
    }

    /// Waits until so many requests have closed, and returns what became of the last one.
    func outcome(ofRequest number: Int = 1) async throws -> RequestOutcome {
        try await wait(for: "end of request \(number)") { state in
            state.outcomes.count >= number ? state.outcomes[number - 1] : nil
        }
    }

    /// Waits until all that was opened is closed and all that was acquired is released.
    func waitUntilNothingIsOpen() async throws {
        try await wait(for: "end of everything that was opened") { state in
            state.closed.count >= state.opened.count && state.released >= state.acquired ? () : nil
        }
    }
}
