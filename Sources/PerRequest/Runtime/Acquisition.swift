/// One acquisition of one resource: what the core needs to release it, whatever its type.
final class Acquisition: Sendable {
    let entry: Int
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

    init(entry: Int, resource: ResourceInfo, acquiredAt: SourcePosition, release: ReleaseForm) {
        self.entry = entry
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
