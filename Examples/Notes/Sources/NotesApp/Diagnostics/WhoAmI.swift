import Hummingbird
import PerRequest
import PerRequestHummingbird
import PerRequestTracing

/// The request as its different parts see it.
///
/// They all see the same client.
struct WhoAmI: ResponseEncodable {
    let request: String
    /// The request that it was sent for, in another process.
    let caller: String?
    let tenant: String
    let client: Int
    let clientSeenByMiddleware: Int
    let clientSeenByChildTasks: [Int]

    static func add(to router: RequestStoreRouter<BasicRequestContext>) {
        router.group("whoami")
            .add(middleware: WhoAmIMiddleware())
            .get { _, _ in try await WhoAmI() }
    }

    private init() async throws {
        request = try Current.requestID.require()
        caller = RequestBaggage.caller.value
        tenant = Current.tenant.value.name
        client = try await Current.client.get().id
        clientSeenByMiddleware = try Current.clientIDInMiddleware.require()
        clientSeenByChildTasks = try await withThrowingTaskGroup { group in
            for _ in 1...8 {
                group.addTask { try await Current.client.get().id }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
