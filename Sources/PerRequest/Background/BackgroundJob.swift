/// Work that a request left for after its response, with all it needs to run without the request.
struct BackgroundJob: Sendable {
    let ticket: Int
    let name: String
    let work: @Sendable () async throws -> Void
    /// The request's values as they were when it closed.
    let values: ValueTable
    let request: String
    let observer: (any RequestObserver)?
    let reporter: (@Sendable (RequestReport) -> Void)?
    let limits: RequestLimits
    let executor: (any TaskExecutor)?
    let owner: BackgroundOwner

    /// Runs the work in a store of its own, with its own resources and its own verdict.
    ///
    /// What it throws is reported.
    ///
    /// - Returns: Whether it ended because its task was cancelled.
    @discardableResult
    func run() async -> Bool {
        let core = StoreCore(
            id: "\(request)/\(name)",
            observer: observer,
            reporter: reporter,
            limits: limits,
            executor: executor,
            background: owner,
            values: values,
            isOwned: true
        )
        let scope = RequestScope(core: core)
        let wasCut = await scope.run {
            do {
                try await work()
            } catch {
                let wasCut = error is CancellationError && Task.isCancelled
                scope.fail(error)
                await scope.close(.failed(error))
                if !wasCut { report(.jobFailed(job: name, error)) }
                return wasCut
            }
            await scope.settle()
            await scope.close()
            return false
        }
        await core.runJobsHere()
        return wasCut
    }

    func report(_ kind: RequestReport.Kind) {
        let report = RequestReport(request: request, kind: kind)
        if let reporter { reporter(report) } else { RequestReport.handle(report) }
    }
}

/// Who runs what a store leaves for after its response.
enum BackgroundOwner: Sendable {
    case nobody
    /// The opener, when the store has closed.
    case opener
    /// The application; `isJob` where the store is itself that of a job.
    case work(BackgroundWork, isJob: Bool)
}
