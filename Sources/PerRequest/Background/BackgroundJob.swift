/// Work that a request left for after its response, with all it needs to run without the request.
final class BackgroundJob: Sendable {
    let ticket: Int
    let name: String
    let work: @Sendable () async throws -> Void
    /// The request's values as they were when it closed.
    let values: ValueTable
    let line: BackgroundLine
    /// What observers are told of it; `nil` where there are none.
    let observed: RequestEvent.Job?
    /// That of the stores of all jobs in the line.
    let configuration: StoreConfiguration

    init(_ job: PendingJob, _ values: ValueTable, in line: BackgroundLine, _ configuration: StoreConfiguration) {
        ticket = job.ticket
        name = job.name
        work = job.work
        observed = job.observed
        self.values = values
        self.line = line
        self.configuration = configuration
    }

    /// How a job ended.
    enum End: Sendable {
        case done
        case failed(any Error)
        /// Its task was cancelled, and it threw because of it; or it was given up.
        case cut
    }

    /// Runs the work in a store of its own, with its own resources and its own verdict.
    func run() async -> End {
        let origin = line.origin
        let core = RequestCore(configuration, reportingTo: origin.receiver, id: "\(origin.id)/\(name)", values: values)
        observeStart(in: core)
        let scope = StoreScope(core: core)
        guard let receiver = origin.receiver else { return await run(in: scope) }
        return await receiver.runJob { await run(in: scope) }
    }

    private nonisolated(nonsending) func run(in scope: StoreScope) async -> End {
        await scope.run {
            do {
                try await work()
            } catch {
                let wasCut = error is CancellationError && Task.isCancelled
                scope.fail(error)
                await scope.close(.failed(error))
                return wasCut ? .cut : .failed(error)
            }
            await scope.settle()
            await scope.close()
            return .done
        }
    }

    @inline(never)
    private func observeStart(in core: RequestCore) {
        if let observed { line.origin.tell(.jobStarted(observed, in: RequestStore(core: core))) }
    }

    /// Reports how it ended, as what happened to its request.
    @inline(never)
    func report(_ end: End) {
        if let observed { line.origin.tell(.jobEnded(observed, RequestEvent.Job.End(end))) }
        switch end {
        case .done: break
        case .failed(let error): line.origin.report(.jobFailed(job: name, error))
        case .cut: line.origin.report(.jobCut(job: name))
        }
    }
}

extension RequestEvent.Job.End {
    fileprivate init(_ end: BackgroundJob.End) {
        self =
            switch end {
            case .done: .done
            case .failed(let error): .failed(error)
            case .cut: .cut
            }
    }
}

/// Who runs what a store leaves for after its response.
enum BackgroundOwner: Sendable {
    case nobody
    /// The opener, when the store has closed.
    case opener
    /// The application.
    case work(BackgroundWork)
    /// Whoever runs the job whose store this is.
    case line(BackgroundLine)
}
