import PerRequest

enum Current {
    // snippet DatabaseAndOtherClients.md: Overview
}

let pool = Pool()

final class Connection: Sendable {
    func withTransaction<Value>(_ body: (Connection) async throws -> Value) async throws -> Value {
        try await body(self)
    }
}

struct Pool: Sendable {
    func lease() async throws -> Connection { Connection() }

    func giveBack(_ connection: Connection) async {}
}
