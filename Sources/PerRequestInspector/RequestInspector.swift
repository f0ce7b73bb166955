#if Inspector
public import PerRequest
import PerRequestHummingbird
import Synchronization

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Shows the requests of a Hummingbird application on a page, as they happen: for development.
///
/// ```swift
/// let inspector = RequestInspector()
/// inspector.mount(on: router, at: "/_requests")
/// let app = Application(router: router, requestStore: .http1(observers: [inspector]))
/// ```
///
/// The page shows what each request acquires, holds, waits for and releases, where each was asked for, how it ended, and what
/// is held, waited for and overdue right now. Its own requests are neither shown nor kept.
///
/// **Values.** A value is shown only if its key is declared with `logged:`; of all others, the page has the name. Those of a
/// request that has closed are as they were when it began to close. An error is shown as
/// `String(reflecting:)` has it, up to 500 bytes: a driver's may have values in it.
///
/// **Memory.** It keeps the requests that are open, up to 2,000 with their child stores, and `keepsClosedRequests` that have closed,
/// the last ones. Of one store it keeps at most 400 parts, such as an acquisition, a call or a job, and of all of them
/// together 50 for each closed request, and 10,000 more. With the default that is about 2 MB of usual requests, and at most
/// 60 MB, however long names and errors are. It keeps no store, no value and no error itself of a request that has closed.
///
/// **Lifetime.** One serves all requests of a process. What it keeps ends with it.
///
/// **Isolation.** May be used from any task and thread.
public final class RequestInspector: RequestObserver {
    let recorder: Recorder
    private let handedOn: HandedOn
    let access: Access
    /// What the clock on the wall showed at the time from which all others are counted.
    let startedAt: Date
    let mounts = Mutex<[MountPath]>([])
    let watchers = Atomic(0)

    /// Makes an inspector, which nothing shows until it is mounted.
    ///
    /// - Parameters:
    ///   - count: How many requests that have closed are kept, with their child stores: at least 1.
    ///   - access: Who may see the page.
    public init(keepsClosedRequests count: Int = 500, access: Access = .loopback) {
        recorder = Recorder(capacity: count)
        handedOn = HandedOn(to: recorder)
        startedAt = Date.now.addingTimeInterval(-Double(Moment.now.microseconds) / 1_000_000)
        self.access = access
    }

    deinit { recorder.end() }

    /// Records what has happened.
    ///
    /// It is called where another observer hands on what it is told; an inspector that is an observer itself keeps a log of each
    /// store, which costs less.
    public func observe(_ event: RequestEvent) { handedOn.note(event) }

    /// Lets go of what is kept of an open store, which is not to be seen.
    func hide(_ store: RequestStore) {
        recorder.hide(store)
        handedOn.hide(store)
    }

    /// What is kept now.
    func look() -> Snapshot {
        let look = recorder.lookAtAll()
        return Snapshot(look, at: .now)
    }
}

extension RequestInspector: LoggingObserver {
    package func log(of store: RequestStore, openedIn parent: RequestStore?) -> (any EventLog)? {
        recorder.open(store, in: parent)
    }
}

extension RequestInspector: SelfServingObserver {
    package func serves(_ path: String) -> Bool {
        mounts.withLock { mounts in mounts.contains { $0.contains(path) } }
    }
}
#endif
