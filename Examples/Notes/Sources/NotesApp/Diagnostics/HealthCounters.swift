import Hummingbird
import PerRequest
import PerRequestHummingbird
import Synchronization

/// Counts what the requests' stores do.
final class HealthCounters: RequestObserver {
    private let openedRequests = Atomic(0)
    private let closedRequests = Atomic(0)
    private let acquiredResources = Atomic(0)
    private let releasedResources = Atomic(0)
    private let releaseErrors = Atomic(0)

    func observe(_ event: RequestEvent) {
        switch event.kind {
        case .opened: openedRequests.add(1, ordering: .relaxed)
        case .acquired: acquiredResources.add(1, ordering: .relaxed)
        case .released(_, let error):
            releasedResources.add(1, ordering: .relaxed)
            if error != nil { releaseErrors.add(1, ordering: .relaxed) }
        case .closed: closedRequests.add(1, ordering: .relaxed)
        default: break
        }
    }

    func add(to router: RequestStoreRouter<BasicRequestContext>, _ work: BackgroundWork) {
        router.get("health") { _, _ in self.health(work.counts) }
    }

    private func health(_ jobs: BackgroundWork.Counts) -> Health {
        let closed = closedRequests.load(ordering: .relaxed)
        let opened = openedRequests.load(ordering: .relaxed)
        let released = releasedResources.load(ordering: .relaxed)
        let acquired = acquiredResources.load(ordering: .relaxed)
        return Health(
            requests: .init(opened: opened, open: opened - closed),
            resources: .init(acquired: acquired, released: released, held: acquired - released),
            releaseErrors: releaseErrors.load(ordering: .relaxed),
            jobs: .init(reserved: jobs.reserved, waiting: jobs.waiting, running: jobs.running)
        )
    }
}
