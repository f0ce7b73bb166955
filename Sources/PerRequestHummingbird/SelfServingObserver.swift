#if Hummingbird
import Hummingbird
import HummingbirdCore
package import PerRequest

/// An observer that the application also answers requests of, such as those for a page that shows the others.
///
/// It is not told of them.
package protocol SelfServingObserver: RequestObserver, AnyObject {
    /// Whether a request for this path is its own.
    ///
    /// - Parameter path: What the client asks for, with its query: nothing of it may be kept.
    func serves(_ path: String) -> Bool
}

/// What the stores have in common of requests that some of the observers serve themselves.
struct SelfServing: Sendable {
    private let limits: RequestLimits
    private let observers: [any RequestObserver]
    private let background: BackgroundWork?
    private let selfServing: [any SelfServingObserver]

    /// - Returns: `nil` where there are none.
    init?(_ limits: RequestLimits, _ observers: [any RequestObserver], _ background: BackgroundWork?) {
        selfServing = observers.compactMap { $0 as? any SelfServingObserver }
        guard !selfServing.isEmpty else { return nil }
        (self.limits, self.observers, self.background) = (limits, observers, background)
    }

    /// That of a request which one of the observers serves; `nil` for all others.
    func configuration(for request: Request) -> StoreConfiguration? {
        let path = request.uri.string
        guard selfServing.contains(where: { $0.serves(path) }) else { return nil }
        let others = observers.filter { !(($0 as? any SelfServingObserver)?.serves(path) ?? false) }
        return StoreConfiguration(limits: limits, observers: others, background: background)
    }
}
#endif
