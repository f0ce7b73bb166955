import Synchronization

/// What many stores have in common: an adapter makes it once, and not for every request.
package final class StoreConfiguration: Sendable {
    let observers: [any RequestObserver]
    /// Those that keep a log of each store.
    let logging: [any LoggingObserver]
    /// Whether there are others, who are told.
    let hasListeners: Bool
    /// Tells all of those: looking each up costs more than to call it.
    let tell: @Sendable (RequestEvent) -> Void
    /// Whether there are observers: asked for with every acquisition, where copying them to ask would be felt.
    let isObserved: Bool
    /// Whether it is ``opener``, which costs more to ask for.
    let isOpeners: Bool
    /// Whether there are overrides: asked for as often as ``isObserved``.
    let isOverridden: Bool
    let reporter: (@Sendable (RequestReport) -> Void)?
    let limits: RequestLimits
    let executor: (any TaskExecutor)?
    /// What takes the place of values, resources and memos, in a test.
    let overrides: OverrideScope?
    /// Who runs what is left for after the response.
    let background: BackgroundOwner
    /// That of the stores of such work, made when there first is some.
    private let ofJobsHere = Lock<StoreConfiguration?>(nil)

    init(
        observers: [any RequestObserver] = [],
        reporter: (@Sendable (RequestReport) -> Void)? = nil,
        limits: RequestLimits = RequestLimits(),
        executor: (any TaskExecutor)? = nil,
        overrides: OverrideScope? = nil,
        background: BackgroundOwner = .nobody,
        isOpeners: Bool = false
    ) {
        self.observers = observers
        logging = observers.compactMap { $0 as? any LoggingObserver }
        let listeners = observers.filter { !($0 is any LoggingObserver) }
        hasListeners = !listeners.isEmpty
        if listeners.count == 1, let listener = listeners.first {
            tell = { listener.observe($0) }
        } else {
            tell = { event in for listener in listeners { listener.observe(event) } }
        }
        isObserved = !observers.isEmpty
        if isObserved { RequestEvent.willBeObserved() }
        self.isOpeners = isOpeners
        self.reporter = reporter
        self.limits = limits
        self.executor = executor
        self.overrides = overrides
        isOverridden = overrides != nil
        self.background = background
    }

    /// Makes what the requests of an adapter have in common.
    package convenience init(
        limits: RequestLimits,
        observers: [any RequestObserver],
        report: (@Sendable (RequestReport) -> Void)? = nil,
        background: BackgroundWork?
    ) {
        let owner = background.map(BackgroundOwner.work) ?? .nobody
        self.init(observers: observers, reporter: report, limits: limits, background: owner)
    }

    /// The same, seen by other observers.
    func observed(by observers: [any RequestObserver]) -> StoreConfiguration {
        changed(observers: observers, overrides: overrides, background: background)
    }

    /// That of the stores of the work that is left for after the response; what such work leaves has the same.
    var ofJobs: StoreConfiguration {
        if isOfJobs { return self }
        return ofJobsHere.withLock { made in
            if let made { return made }
            let new = changed(observers: observers, overrides: overrides, background: .sameLine)
            made = new
            return new
        }
    }

    /// Whether it is that of work that was left for after a response.
    var isOfJobs: Bool { if case .sameLine = background { true } else { false } }

    /// The same, with what takes the place of values, resources and memos.
    func overridden(by overrides: OverrideScope) -> StoreConfiguration {
        changed(observers: observers, overrides: overrides, background: background)
    }

    private func changed(
        observers: [any RequestObserver],
        overrides: OverrideScope?,
        background: BackgroundOwner
    ) -> StoreConfiguration {
        StoreConfiguration(
            observers: observers,
            reporter: reporter,
            limits: limits,
            executor: executor,
            overrides: overrides,
            background: background
        )
    }

    /// That of a store for which nothing was said.
    static let plain = StoreConfiguration()

    /// That of a store that its opener closes, for which nothing was said.
    static let opener = StoreConfiguration(background: .opener, isOpeners: true)
}

/// Gets the reports of one request, and knows what else there is to know of it.
package protocol ReportReceiver: AnyObject, Sendable {
    /// The request's id, if it has been given one.
    ///
    /// Asked for when somebody wants to read it, from any task or thread and possibly under a lock: it runs no user's code.
    var requestID: String? { get }

    /// What gives the request's id when somebody wants to read it, for as long as it may be kept: no user's object. `nil` where
    /// the text is there already.
    var laterID: (any CustomStringConvertible & Sendable)? { get }

    /// Called synchronously from any task or thread; must not block.
    func receive(_ report: RequestReport)

    /// Runs what the request left for after its response, with what was current around the request.
    nonisolated(nonsending) func runJob<Result: Sendable>(
        _ job: nonisolated(nonsending) () async -> Result
    ) async -> Result
}

extension ReportReceiver {
    package var laterID: (any CustomStringConvertible & Sendable)? { nil }

    package nonisolated(nonsending) func runJob<Result: Sendable>(
        _ job: nonisolated(nonsending) () async -> Result
    ) async -> Result {
        await job()
    }
}
