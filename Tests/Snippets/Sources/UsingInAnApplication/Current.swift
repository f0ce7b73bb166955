import PerRequest

enum Current {
    static let user = RequestLocal<User?>("user")
    static let tenant = RequestLocal<String?>("tenant")
    static let locale = RequestLocal("locale", default: "en")
    static let hits = RequestLocal("hits", default: 0)

    static let connection = RequestResource("connection") {
        Connection()
    } release: { _, _ in
    }
    static let client = RequestResource("client") {
        Client()
    } release: { _, _ in
    }

    // snippet UsingInAnApplication.md: Transactions

    // snippet UsingInAnApplication.md: Parts of a request (2)
}

struct User: Sendable {
    let name: String
}

final class Connection: Sendable {
    func withTransaction<Value>(_ body: (Transaction) async throws -> Value) async throws -> Value {
        try await body(Transaction())
    }
}

struct Transaction: Sendable {
    func insert(_ row: String) async throws {}

    func withSavepoint<Value>(_ body: (Transaction) async throws -> Value) async throws -> Value {
        try await body(self)
    }
}

/// Not `Sendable`.
final class Client {
    func query(_ sql: String) async throws -> [String] { [] }
}
