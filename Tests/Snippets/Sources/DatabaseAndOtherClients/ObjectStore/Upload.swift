import NIOCore

// snippet DatabaseAndOtherClients.md: An object store

struct NoUpload: Error {}

struct Tenant: Sendable {
    let name: String

    var bucket: String { name }

    func accessKey() async throws -> (id: String, secret: String) { (name, "secret") }
}

extension Current {
    /// Notes its end among what the object store was asked for.
    static let transaction = RequestResource("transaction", released: .beforeResponse) {
        try await storage.get()
    } release: { storage, outcome in
        storage.client.requests.withLock { $0.append("\(outcome.verdict) rows") }
    }
}
