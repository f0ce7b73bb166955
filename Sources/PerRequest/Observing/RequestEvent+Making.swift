import Synchronization

// How events describe what they are about.

extension RequestEvent.Acquisition {
    init(
        _ entry: Int,
        of resource: ResourceInfo,
        in core: StoreCore,
        _ position: SourcePosition,
        _ present: Surroundings?
    ) {
        let request = core.request.identity
        self.init(
            id: ID(request: request, entry: entry),
            key: resource.name,
            declaration: resource.memo == nil ? resource.declaration : position,
            askedAt: position,
            inside: present?.innermostEntry(of: request).map { ID(request: request, entry: $0) }
        )
    }
}

extension RequestEvent.Job {
    private static let last = Atomic(0)

    init(named name: String) {
        id = ID(number: Self.last.wrappingAdd(1, ordering: .relaxed).newValue)
        self.name = name
    }
}

extension RequestEvent.Limit.Subject {
    init(_ stage: Lifecycle.Stage) {
        self =
            switch stage {
            case .acquiring: .acquisition
            case .cancelling: .cancellation
            case .awaitingUses: .use
            case .releasing: .release
            }
    }
}
