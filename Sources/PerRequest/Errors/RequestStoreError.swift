/// A mistake in using a store, a key or a resource, with the key, the request and the remedy.
public struct RequestStoreError: Error {
    /// What went wrong.
    @nonexhaustive
    public enum Reason: Sendable {
        /// The code runs outside any request.
        case outsideRequest
        /// The store was made by `requestStore()` outside a request: it holds values, and nobody would release a resource.
        case privateStore
        /// The request is over: the store is closed and empty.
        case requestEnded
        /// The child store is closed and empty; its request goes on.
        case childStoreEnded
        /// The resource's release point has begun, so that it cannot be acquired any more.
        case releasePointBegan(ReleasePoint)
        /// The resource has been released, or is being released.
        case released
        /// The flight that acquires the resource did not end within its limit.
        case acquireTimedOut(Duration)
        /// An earlier acquisition was cancelled and has not ended yet.
        case stillEnding
        /// The release did not end within its limit; it was cancelled, and whether it took effect is unknown.
        case releaseTimedOut(Duration)
        /// Bodies of `use` did not end within the release's limit; it is released when they have.
        case useOverran(Duration)
        /// The releases of a point did not end within the request's limit; they go on without the request.
        case pointTimedOut(ReleasePoint, Duration)
        /// The resource was released early, and an `around` resource cannot be acquired a second time.
        case releasedEarly
        /// The resource cannot be had or released now: the caller's own body has it; or this resource's factory is using
        /// it, or a child store holds this resource, which is built on it.
        case inUse(by: String)
        /// Another resource is made on it with `around(_:on:)` and has it for itself: nothing else can be made on it, and no
        /// body of `useExclusively` can have it.
        case claimed(by: String, for: String?)
        /// The resources along a cycle: each is acquired inside the factory of the one before it.
        case cycle([String])
        /// The resources along a cycle of waits that would never end: each is used, acquired or released by what waits for
        /// the next one.
        case deadlock([String])
        /// The resource is released before this one, inside whose factory it was asked for.
        case captive(by: String)
        /// Nothing has been set.
        case unset
        /// Nothing has been set with this key, but with another one of the same name: one of the two is not meant, or the key's
        /// declaration makes a new key at each access.
        case otherKeySet(declaredAt: SourcePosition, other: SourcePosition)
        /// The key's declaration makes a new key at each access, and has done so a thousand times.
        case keyMadeAnew(declaredAt: SourcePosition)
        /// The key is to travel under a name that is no token of HTTP, or that another key has, which is declared there.
        case notPropagable(as: String, other: SourcePosition?)
        /// The value set under this name has another type.
        case typeMismatch(stored: String, requested: String)
        /// An `around` function returned without calling `use`.
        case useNeverCalled
        /// An `around` function called `use` a second time.
        case useCalledTwice
        /// An `around` function ended while its value was in use.
        case resourceLost((any Error)?)
        /// An `around` function returned although `use` threw: what should have been rolled back may be committed.
        case rollbackSwallowed
        /// Nobody runs work after the response of this request.
        case noBackgroundWork
        /// As much work as there may be waits to be done.
        case backgroundWorkFull(Int)
        /// Work after the response is not run yet, or no longer.
        case backgroundWorkNotRunning
    }

    /// The key's name, if a key is concerned.
    public let key: String?

    /// The request's id, if there is a request.
    public let request: String?

    /// Where the key was used: the caller's file and line.
    ///
    /// It is `nil` for a memo, a value by name, and work after the response, whose callers are not known.
    public let place: SourcePosition?

    /// What went wrong.
    public let reason: Reason

    init(key: String?, request: String?, reason: Reason, place: SourcePosition? = nil) {
        self.key = key
        self.request = request
        self.reason = reason
        self.place = place
    }

    /// The error with the place where the key was used, if it has none.
    func at(_ place: @autoclosure () -> SourcePosition?) -> Self {
        self.place == nil ? Self(key: key, request: request, reason: reason, place: place()) : self
    }
}

extension RequestStoreError: CustomStringConvertible {
    /// The request, the key, the place where it was used, the reason and the remedy, and the name of the reason in brackets,
    /// which the article <doc:Troubleshooting> has an entry for.
    public var description: String {
        let place = place.map { ", used at \($0)" } ?? ""
        let key = key.map { "\"\($0)\"\(place): " } ?? ""
        let request = request.map { "request \($0): " } ?? ""
        return "\(request)\(key)\(remedy)"
    }

    /// The reason and the remedy, and the name of the reason in brackets.
    var remedy: String { "\(reason.explanation) [\(caseName(of: reason))]" }
}

extension ReleasePoint {
    /// The point in a sentence.
    var phrase: String {
        switch self {
        case .beforeResponse: "before the response"
        case .afterResponse: "after the response"
        }
    }
}

extension RequestStoreError.Reason {
    fileprivate var explanation: String {
        switch self {
        case .outsideRequest:
            """
            no request is being served here. Serve it through a PerRequest adapter, wrap the work in \
            `withRequestStore { }`, or, in a callback, carry the request with a `RequestSnapshot`. In a test, use \
            `withTestRequestStore { }` or the trait `.requestStore` of PerRequestTesting.
            """
        case .privateStore:
            """
            this store was made outside a request: it holds values, and nobody would ever release what it acquires. \
            Wrap the work in `withRequestStore { }`.
            """
        case .requestEnded:
            """
            the request is over and its store is closed. A task that outlives the request has to copy what it needs \
            before it starts.
            """
        case .childStoreEnded:
            """
            the child store is closed; its request goes on. What outlives the body of `withRequestStore` has to copy what it \
            needs before it starts, or to use the request's store.
            """
        case .releasePointBegan(.beforeResponse):
            """
            it is released before the response and the response is settled: acquire it in the handler, or declare it \
            with `released: .afterResponse`.
            """
        case .releasePointBegan(.afterResponse):
            "the request is being closed and nothing can be acquired any more: acquire it before the response ends."
        case .released:
            "it has been released already: read it before its release starts, or hold on to what it gave you."
        case .acquireTimedOut(let limit):
            """
            it could not be acquired within \(limit). Look for an exhausted pool, such as one of which a request wants two at a \
            time, or raise the `acquire` limit of its `ResourceLimits`.
            """
        case .stillEnding:
            """
            the acquisition before this one was cancelled and has not ended yet: its factory ignores that. Make it react to \
            cancellation.
            """
        case .releaseTimedOut(let limit):
            """
            its release did not end within \(limit) and was cancelled; whether it took effect is unknown. Make it \
            faster, or raise the `release` limit of its \
            `ResourceLimits`.
            """
        case .useOverran(let limit):
            """
            a body of `use`, or a child store's resource that is built on it, still had it \(limit) after the release was \
            due; it is released when that has ended. Await every task that uses it.
            """
        case .pointTimedOut(let point, let limit):
            """
            it was not released within the \(limit) that the request has for all releases \(point.phrase). Make the \
            releases faster, or raise `RequestLimits`.
            """
        case .releasedEarly:
            """
            it was released early, and what `around` gives cannot be acquired a second time in a request. Release it at its \
            point, or let a child store own it.
            """
        case .inUse(let user):
            """
            it is in use by "\(user)". Inside a body of `use` or `useExclusively`, use the value that the body has, and release \
            it after the body; what a factory or a child store is using cannot be released until that has ended.
            """
        case .claimed(let claimant, let other):
            """
            it cannot be had \(other.map { "for \"\($0)\"" } ?? "exclusively"): "\(claimant)" is made on it and has it for \
            itself until it has ended: one at a time. Work inside of "\(claimant)", with a savepoint for what may be undone \
            on its own; or open a child store that owns this as well.
            """
        case .cycle(let path):
            """
            it depends on itself: \(path.map { "\"\($0)\"" }.joined(separator: " needs ")). Let one of them have what it \
            needs as a parameter, or read it before.
            """
        case .deadlock(let path):
            """
            waiting for it would never end: \(path.map { "\"\($0)\"" }.joined(separator: " waits for ")). Use several \
            resources in the same order everywhere. A task that was started in a body counts as inside of it until that has \
            ended: start it outside if it may wait for the body.
            """
        case .captive(let dependent):
            """
            it is released before "\(dependent)", inside whose factory it was asked for and which would go on using it. Let \
            "\(dependent)" end at the same point (a resource with `released:`, a memo with `until: .beforeResponse`), or take \
            what it needs from something that lives as long.
            """
        case .unset:
            """
            nothing has been set in this request: set it in a middleware that runs before, read `value`, which is nil where \
            unset, or answer the client with `require(or:)`.
            """
        case .otherKeySet(let here, let other) where here == other:
            """
            nothing has been set with this key. Its declaration, at \(here), has made another one that has been set: each \
            access makes a new key. Declare it as `static let`.
            """
        case .otherKeySet(let here, let other):
            """
            nothing has been set with this key, which is declared at \(here). What has been set is another key of this name, \
            declared at \(other). Use one of them everywhere.
            """
        case .keyMadeAnew(let declaration):
            """
            it cannot be used: its declaration, at \(declaration), has made \(Declarations.limit) keys, one at each access. \
            Declare it as `static let`.
            """
        case .notPropagable(let name, let other?):
            """
            it cannot be used: "\(name)", the name under which it is to travel, is that of the key declared at \(other). Give \
            one of them another `propagated:` name.
            """
        case .notPropagable(let name, nil):
            """
            it cannot be used: nothing can travel as "\(name)". Let `propagated:` have a name of letters, digits and any of \
            !#$%&'*+-.^_`|~.
            """
        case .typeMismatch(let stored, let requested):
            "the value set under this name is of type \(stored), and \(requested) was asked for. Ask for \(stored)."
        case .useNeverCalled:
            "the function given to `around` ended without calling `use`: call `use` with the resource, exactly once."
        case .useCalledTwice:
            """
            the function given to `around` called `use` a second time. A request cannot be replayed: turn its \
            retries off.
            """
        case .resourceLost(let error):
            """
            the function given to `around` ended while the request was using it\(error.map { ": \($0)" } ?? ""). Look for what \
            ended it: a connection that was lost, or a time limit of its own.
            """
        case .rollbackSwallowed:
            """
            the function given to `around` returned although `use` threw. What should have been rolled back may be \
            committed: let the error of `use` through.
            """
        case .noBackgroundWork:
            "nobody runs work after the response: give the adapter a `BackgroundWork` as `background:`, and run it as a service."
        case .backgroundWorkFull(let limit):
            """
            as many jobs wait as are admitted: \(limit). Raise `BackgroundWork.Limits.admitted` or `concurrent`, make the jobs \
            faster, or answer with 503.
            """
        case .backgroundWorkNotRunning:
            """
            the `BackgroundWork` of the application is not running: it was not started, or it is shutting down. Run it as a \
            service, beside the server and behind what its jobs need.
            """
        }
    }
}
