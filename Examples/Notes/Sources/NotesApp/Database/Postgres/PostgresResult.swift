import CLibPQ

/// What a statement gave.
struct PostgresResult: Sendable {
    /// What was done, in the server's words: `COMMIT`, `INSERT 0 1`.
    let tag: String
    let rows: [SQLRow]

    /// Copies what libpq holds.
    init(_ result: OpaquePointer) {
        tag = String(cString: PQcmdStatus(result))
        let columns = PQnfields(result)
        rows = (0..<PQntuples(result)).map { row in
            SQLRow(values: (0..<columns).map { column in Self.value(result, row, column) })
        }
    }

    private static func value(_ result: OpaquePointer, _ row: Int32, _ column: Int32) -> SQLValue {
        guard PQgetisnull(result, row, column) == 0 else { return .null }
        let text = String(cString: PQgetvalue(result, row, column))
        return isInteger(PQftype(result, column)) ? Int64(text).map(SQLValue.integer) ?? .text(text) : .text(text)
    }

    /// Whether a type is `bigint`, `smallint` or `integer`.
    private static func isInteger(_ type: Oid) -> Bool {
        type == 20 || type == 21 || type == 23
    }
}
