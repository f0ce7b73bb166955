/// One acquisition of one resource: what is kept of it beside the lifecycle, whatever its type.
///
/// It is also what its factory finds around itself.
final class Acquisition: Surroundings, @unchecked Sendable {
    let entry: Int
    /// The store that owns the resource.
    let core: StoreCore
    let resource: ResourceInfo
    let acquiredAt: SourcePosition
    /// Where an `around` function waits for the outcome.
    let gate: Gate?
    /// What the factory came to.
    ///
    /// The task's until it ends, and then the starter's, if it still is there.
    private var landing: Result<AnyBox, any Error>?

    // Read and written under the request's lock only.

    var box: AnyBox?
    /// What the flight or the release threw.
    var failure: (any Error)?
    var task: Task<Void, Never>?
    /// The time limit of the stage under way.
    var deadline: Deadlines.Token?
    /// The time after which holding the resource is reported.
    var holdLimit: Deadlines.Token?
    /// The failures of what was built on it, for those who wait for its early release.
    var dependentFailures: [ReleaseFailure] = []
    /// What the caller that starts the flight is told, if that is known before it has to wait.
    var answer: Result<AnyBox?, any Error>?
    var cancelRequested = false
    /// What its observers are told; `nil` where there are none.
    let observed: RequestEvent.Acquisition?
    /// Whether they have been told what it came to, and whether that was a value: only then are they told that it was released.
    var arrivalIsTold = false
    var valueIsTold = false
    /// Whether they have been told that, which who ends it says and reads.
    var releaseIsTold = false

    private let handoff = Handoff()

    init(
        entry: Int,
        of resource: ResourceInfo,
        in core: StoreCore,
        from position: SourcePosition,
        inside present: Surroundings?
    ) {
        self.entry = entry
        self.core = core
        self.resource = resource
        acquiredAt = position
        let isAround = core.configuration.isAround(resource)
        gate = isAround ? Gate { core.error($0, key: resource.name) } : nil
        observed = core.isObserved ? .init(entry, of: resource, in: core, position, present) : nil
        super.init(of: core, entry: entry, inside: present)
    }
}

// MARK: - Running it

extension Acquisition {
    private var function: ResourceInfo.Function { core.configuration.function(of: resource) }

    /// Runs the factory or the `around` function in a task of the store's own.
    func start() -> Task<Void, Never> {
        // The closures refer to one object, so that they are none themselves.
        core.startTask(depth: depth) {
            await self.run()
        } inline: {
            startInline(at: $0)
        }
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
        switch function {
        case .closures(let acquire, _), .memo(let acquire):
            let result: Result<AnyBox, any Error> = await Ambient.with(entryOf: core, self) {
                do { return .success(try await acquire()) } catch { return .failure(error) }
            }
            landing = result
            if handoff.taskEnds() { core.landed(self, result) }
        case .around(let body): await Ambient.with(entryOf: core, self) { await run(body) }
        }
    }

    private func run(_ body: ResourceInfo.Around) async {
        guard let gate else { preconditionFailure("an around function without a gate") }
        let core = core
        var thrown: (any Error)?
        do {
            try await body(gate, { core.landed(self, .success($0)) }, { core.lost(self, nil) })
        } catch {
            thrown = error
        }
        switch gate.end(thrown) {
        case .acquireFailed(let error): core.landed(self, .failure(error))
        case .lost(let cause): core.lost(self, cause)
        case .released(let error): core.request.perform(core.released(self, error))
        }
    }

    /// What the factory came to, if it did not suspend; else its task delivers it.
    func landedAtOnce() -> Result<AnyBox, any Error>? { handoff.starterLeaves() ? landing.take() : nil }

    /// The release; an `around` function has none.
    var release: ResourceInfo.Release? {
        guard case .closures(_, let release) = function else { return nil }
        return release
    }

    /// What the release finds around itself.
    ///
    /// - Parameter present: What is around those who want it released.
    func surroundings(ofReleaseInside present: Surroundings?) -> Surroundings {
        present == nil && isInsideNothing ? self : Surroundings(of: core, entry: entry, inside: present)
    }

    func failure(_ error: any Error) -> ReleaseFailure {
        ReleaseFailure(resource: resource.name, acquiredAt: acquiredAt, error: error)
    }
}
