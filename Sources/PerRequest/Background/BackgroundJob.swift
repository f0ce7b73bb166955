/// Work that a request left for after its response, with all it needs to run without the request.
struct BackgroundJob: Sendable {
    let ticket: Int
    let name: String
    let work: @Sendable () async throws -> Void
    /// The request's values as they were when it closed.
    let values: ValueTable
    /// The request's store, which is closed and empty by now.
    let origin: StoreCore

    /// Runs the work in a store of its own, with its own resources and its own verdict.
    ///
    /// What it throws is reported.
    ///
    /// - Returns: Whether it ended because its task was cancelled.
    @discardableResult
    func run() async -> Bool {
        let core = RequestCore(
            origin.configuration.ofJobs,
            reportingTo: origin.receiver,
            id: "\(origin.id)/\(name)",
            values: values
        )
        let scope = RequestScope(core: core)
        let wasCut = await scope.run {
            do {
                try await work()
            } catch {
                let wasCut = error is CancellationError && Task.isCancelled
                scope.fail(error)
                await scope.close(.failed(error))
                if !wasCut { origin.report(.jobFailed(job: name, error)) }
                return wasCut
            }
            await scope.settle()
            await scope.close()
            return false
        }
        await core.runJobsHere()
        return wasCut
    }

    /// Reports that the application's shutdown has cut it off.
    func reportCut() { origin.report(.jobCut(job: name)) }
}

/// Who runs what a store leaves for after its response.
enum BackgroundOwner: Sendable {
    case nobody
    /// The opener, when the store has closed.
    case opener
    /// The application; `isJob` where the store is itself that of a job.
    case work(BackgroundWork, isJob: Bool)
}
