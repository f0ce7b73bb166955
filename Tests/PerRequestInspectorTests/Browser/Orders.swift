#if Inspector
import Hummingbird
import PerRequest
import PerRequestHummingbird

extension StagedApplication {
    /// A route that does a little of everything, for the pictures: two callers at once, a memo, a child, a slow commit, and
    /// work after the response.
    func addOrders(to router: RequestStoreRouter<BasicRequestContext>) {
        let (keys, commit) = (keys, commit)
        router.post("orders") { _, _ in
            async let stock: Void = keys.transaction.use { _ in try await pause(60) }
            async let price: Void = keys.transaction.use { _ in try await pause(30) }
            async let customer = Orders.customer("42")
            _ = try await (stock, price, customer)
            try await withRequestStore(.child(owning: Orders.audit), id: "audit") { _ in
                try await Orders.audit.use { _ in try await pause(50) }
            }
            try RequestStore.afterResponse("receipt") { try await pause(70) }
            // The commit is slow, and not what the test holds up.
            commit.open()
            return "ordered"
        }
    }
}

private enum Orders {
    static let customer = RequestMemo("customerByID") { (id: String) in
        try await pause(40)
        return id
    }

    static let audit = RequestResource("audit") {
        try await pause(20)
        return "audit"
    } release: { _, _ in
        try await pause(30)
    }
}

/// Takes as long as a picture shows; nothing depends on it.
private func pause(_ milliseconds: Int) async throws { try await Task.sleep(for: .milliseconds(milliseconds)) }
#endif
