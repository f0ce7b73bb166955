import Synchronization

/// Releases that run one after the other in one task, for as long as none of them suspends.
///
/// The task runs on its starter's stack until then. When one has suspended, its task ends with it, and the starter goes on
/// with what does not wait for it.
final class ReleaseRun: @unchecked Sendable {
    private let request: RequestCore
    private let thread = currentThread()
    private let present = Ambient.surroundings
    private let handoff = Handoff()

    // The task's while it runs on the starter's stack; then the starter's.

    /// The release that runs.
    private var release: PendingRelease?
    private var began = Moment.now
    private var error: (any Error)?
    /// What is to be done after it, the next one last.
    private var effects: [Effect] = []
    /// Whether nothing else is left of the request, and nothing has gone wrong; and whether the store has closed.
    private var isAlone: Bool
    private var hasClosed = false

    init(_ release: PendingRelease, then effects: inout [Effect], of request: RequestCore) {
        self.request = request
        self.release = release
        isAlone = false
        swap(&self.effects, &effects)
    }

    /// Those of a request of which nothing else is left.
    init(closing release: PendingRelease, of request: RequestCore) {
        self.request = request
        self.release = release
        isAlone = true
    }

    /// Runs what can be run at once.
    ///
    /// - Returns: Whether the store has closed; otherwise the rest goes on by itself.
    func close() -> Bool {
        var left = start()
        request.performLast(&left)
        return hasClosed
    }

    /// Runs what can be run at once.
    ///
    /// - Returns: What is left to do, the next one last.
    func start() -> [Effect] {
        guard let first = release else { return [] }
        let depth = (present?.depth ?? 0) + 1
        let core = first.acquisition.core
        // The closures refer to one object, so that they are none themselves.
        let task = core.startTask(depth: depth) {
            await self.run()
        } inline: {
            startInline(at: $0)
        }
        let hasEnded = handoff.starterLeaves()
        var left: [Effect] = []
        swap(&left, &effects)
        guard let release = release.take() else { return left }
        let acquisition = release.acquisition
        let elapsed = elapsed(of: acquisition)
        if hasEnded {
            left.put(acquisition.core.released(acquisition, error.take()))
        } else {
            request.state.withLock { _ in acquisition.task = task }
            acquisition.core.limit(acquisition, .releasing, passed: elapsed)
        }
        return left
    }

    /// Starts the task, inline.
    ///
    /// In a loop, which runs once, the compiler inlines the call and sees that there is no executor to prefer. Elsewhere each
    /// task notes one that is none: a third of its cost, and more at each hop.
    @inline(never)
    private func startInline(at priority: TaskPriority?) -> Task<Void, Never> {
        var task: Task<Void, Never>?
        repeat { task = Task.immediate(priority: priority) { await self.run() } } while task == nil
        return task!
    }

    @inline(__always)
    private func run() async {
        while let current = release {
            let acquisition = current.acquisition
            let surroundings = acquisition.surroundings(ofReleaseInside: present)
            acquisition.core.observeRelease(acquisition, current.outcome.verdict)
            let error: (any Error)? = await Ambient.with(entryOf: acquisition.core, surroundings) {
                do {
                    try await acquisition.release?(current.box, current.outcome)
                    return nil
                } catch {
                    return error
                }
            }
            guard goesOn(after: acquisition, error) else { return }
        }
    }

    /// A release has ended.
    ///
    /// - Returns: Whether the next one can run in this task.
    private func goesOn(after acquisition: Acquisition, _ error: (any Error)?) -> Bool {
        guard !handoff.hasStarterLeft, thread == currentThread() else {
            // It has suspended, or did not start there.
            self.error = error
            if handoff.taskEnds() { request.perform(acquisition.core.released(acquisition, error)) }
            return false
        }
        _ = elapsed(of: acquisition)
        release = nil
        if isAlone, error == nil, let next = releasedAlone(acquisition) {
            switch next {
            case .closed: hasClosed = true
            case .release(let next) where next.acquisition.gate == nil: release = next
            case .release(let next):
                // An `around` function goes on, in its own task.
                isAlone = false
                effects.append(.release(next))
                release = request.performUntilRelease(&effects)
            }
        } else {
            isAlone = false
            effects.put(acquisition.core.released(acquisition, error))
            release = request.performUntilRelease(&effects)
        }
        guard release == nil else {
            began = .now
            return true
        }
        _ = handoff.taskEnds()
        return false
    }

    private func releasedAlone(_ acquisition: Acquisition) -> RequestCore.Next? {
        if acquisition.observed != nil { acquisition.core.observeReleased(acquisition, nil) }
        return request.releasedAlone(acquisition)
    }

    /// How long a release took until it ended or suspended; reports it if that was too long.
    private func elapsed(of acquisition: Acquisition) -> Duration {
        let elapsed = began.duration(to: .now)
        acquisition.core.reportBlocking(acquisition, elapsed, limit: acquisition.resource.limits.release)
        return elapsed
    }
}

/// A release that is to run.
struct PendingRelease: Sendable {
    let acquisition: Acquisition
    let box: AnyBox
    let outcome: RequestOutcome
}
