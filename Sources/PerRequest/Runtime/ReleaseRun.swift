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
    private var began = ContinuousClock.now
    private var error: (any Error)?
    /// What is to be done after it, the next one last.
    private var effects: [Effect] = []

    init(_ release: PendingRelease, then effects: inout [Effect], of request: RequestCore) {
        self.request = request
        self.release = release
        swap(&self.effects, &effects)
    }

    /// Runs what can be run at once.
    ///
    /// - Returns: What is left to do, the next one last.
    func start() -> [Effect] {
        guard let first = release else { return [] }
        let depth = (present?.depth ?? 0) + 1
        let task = first.acquisition.core.startTask(depth: depth) {
            await self.run(from: first)
        } inline: {
            startInline(from: first, at: $0)
        }
        let hasEnded = handoff.starterLeaves()
        var left: [Effect] = []
        swap(&left, &effects)
        guard let release = release.take() else { return left }
        let acquisition = release.acquisition
        let elapsed = elapsed(of: release)
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
    private func startInline(from first: PendingRelease, at priority: TaskPriority?) -> Task<Void, Never> {
        var task: Task<Void, Never>?
        repeat { task = Task.immediate(priority: priority) { await self.run(from: first) } } while task == nil
        return task!
    }

    private func run(from first: PendingRelease) async {
        var next: PendingRelease? = first
        while let current = next {
            let acquisition = current.acquisition
            let error = await acquisition.release(current.box, current.outcome, inside: present)
            guard !handoff.hasStarterLeft, thread == currentThread() else {
                // It has suspended, or did not start there.
                self.error = error
                if handoff.taskEnds() { request.perform(acquisition.core.released(acquisition, error)) }
                return
            }
            _ = elapsed(of: current)
            release = nil
            effects.put(acquisition.core.released(acquisition, error))
            next = request.performUntilRelease(&effects)
            release = next
            began = .now
        }
        _ = handoff.taskEnds()
    }

    /// How long a release took until it ended or suspended; reports it if that was too long.
    private func elapsed(of release: PendingRelease) -> Duration {
        let acquisition = release.acquisition
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
