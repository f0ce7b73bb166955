/// Work that a request left for after its response, with all it needs to run without the request.
///
/// It gets the reports of its own store, and knows that one's id.
final class BackgroundJob: ReportReceiver {
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
        guard let receiver = line.origin.receiver else { return await runHere() }
        return await receiver.runJob { await runHere() }
    }

    private nonisolated(nonsending) func runHere() async -> End {
        let store = RequestStore.opened(configuration, reportingTo: self, values: values)
        if let observed { observeStart(observed, in: store) }
        var failure: End?
        let end = await store.serve(work) { error in
            failure = error is CancellationError && Task.isCancelled ? .cut : .failed(error)
        }
        (consume store).recycle(after: end)
        return failure ?? .done
    }

    @inline(never)
    private func observeStart(_ observed: RequestEvent.Job, in store: RequestStore) {
        line.origin.tell(.other(.jobStarted(observed, in: store)))
        store.core.tellOpened()
    }

    /// Reports how it ended, as what happened to its request.
    @inline(never)
    func report(_ end: End) {
        if let observed { line.origin.tell(.other(.jobEnded(observed, RequestEvent.Job.End(end)))) }
        switch end {
        case .done: break
        case .failed(let error): line.origin.report(.jobFailed(job: name, error))
        case .cut: line.origin.report(.jobCut(job: name))
        }
    }
}

extension BackgroundJob {
    var requestID: String? { "\(line.origin.id)/\(name)" }

    func receive(_ report: RequestReport) { line.origin.deliver(report) }
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
    case sameLine
}
