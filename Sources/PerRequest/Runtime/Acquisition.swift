/// One acquisition of one resource: what is kept of it beside the lifecycle, whatever its type.
final class Acquisition: @unchecked Sendable {
    let entry: Int
    /// The store that owns the resource.
    let core: StoreCore
    let resource: ResourceInfo
    let acquiredAt: SourcePosition
    /// How the resource is released.
    ///
    /// Set by the form of the resource when its flight starts.
    let release: ReleaseForm

    enum ReleaseForm: Sendable {
        /// A closure that runs in a task of its own.
        case closure(@Sendable (AnyBox, RequestOutcome) async throws -> Void)
        /// An `around` function that waits for the outcome.
        case gate(Gate)
    }

    // Read and written under the request's lock only.

    var box: AnyBox?
    /// What the flight or the release threw.
    var failure: (any Error)?
    var task: Task<Void, Never>?
    var cancelRequested = false
    /// The time limit of the stage under way.
    var deadline: Deadlines.Token?
    /// The time after which holding the resource is reported.
    var holdLimit: Deadlines.Token?
    /// Whether the value can be read from the store's slot.
    var isPublished = false
    /// The failures of what was built on it, for those who wait for its early release.
    var dependentFailures: [ReleaseFailure] = []

    init(entry: Int, core: StoreCore, resource: ResourceInfo, acquiredAt: SourcePosition, release: ReleaseForm) {
        self.entry = entry
        self.core = core
        self.resource = resource
        self.acquiredAt = acquiredAt
        self.release = release
    }
}

extension Acquisition {
    func failure(_ error: any Error) -> ReleaseFailure {
        ReleaseFailure(resource: resource.name, acquiredAt: acquiredAt, error: error)
    }
}
