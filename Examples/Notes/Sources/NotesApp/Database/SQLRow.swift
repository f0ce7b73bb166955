/// A row that a statement gave.
struct SQLRow: Sendable {
    struct UnexpectedValue: Error, CustomStringConvertible {
        let description: String
    }

    let values: [SQLValue]

    func integer(_ column: Int) throws(UnexpectedValue) -> Int64 {
        guard case .integer(let value) = values[column] else { throw unexpected(column, "an integer") }
        return value
    }

    func text(_ column: Int) throws(UnexpectedValue) -> String {
        guard case .text(let value) = values[column] else { throw unexpected(column, "text") }
        return value
    }

    private func unexpected(_ column: Int, _ expected: String) -> UnexpectedValue {
        UnexpectedValue(description: "column \(column) is not \(expected): \(values[column])")
    }
}
