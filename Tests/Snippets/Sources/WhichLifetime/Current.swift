import PerRequest

// snippet WhichLifetime.md: Overview

// snippet WhichLifetime.md: A cache for all requests

struct User: Identifiable, Sendable {
    let id: String
}

struct Plan: Sendable {
    static func all(in country: String) async throws -> [Plan] { [] }
}

struct TraceID: Sendable {
    static func random() -> TraceID { TraceID() }
}

actor Cache<Key: Hashable & Sendable, Value: Sendable> {
    private var values: [Key: Value] = [:]

    func value(for key: Key, _ make: @Sendable () async throws -> Value) async throws -> Value {
        if let value = values[key] { return value }
        let value = try await make()
        values[key] = value
        return value
    }
}

final class Connection: Sendable {
    func user(_ id: User.ID) async throws -> User { User(id: id) }

    func withTransaction<Value>(_ body: (Connection) async throws -> Value) async throws -> Value {
        try await body(self)
    }
}

struct Pool: Sendable {
    init(connections: Int) {}

    func lease() async throws -> Connection { Connection() }

    func giveBack(_ connection: Connection) async {}
}
