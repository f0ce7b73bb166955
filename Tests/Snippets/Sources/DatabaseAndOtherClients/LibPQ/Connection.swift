import CLibPQ

// snippet DatabaseAndOtherClients.md: libpq

struct RolledBack: Error {}

actor LibPQConnection {
    let connection: OpaquePointer
    var wasBrokenOff = false

    init(_ connection: OpaquePointer) { self.connection = connection }

    func run(_ sql: String) async throws -> OpaquePointer? { PQexec(connection, sql) }
}
