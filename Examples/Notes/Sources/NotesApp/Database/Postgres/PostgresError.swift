import CLibPQ

/// What went wrong with PostgreSQL.
enum PostgresError: Error, CustomStringConvertible {
    /// No connection could be made.
    case cannotConnect(String)
    /// The connection broke.
    case connectionLost(String)
    /// The connection broke while the server was told to commit: whether it did is not known.
    case commitUnknown(String)
    /// A statement failed; the first text is its SQLSTATE.
    case statementFailed(String, String)
    /// The server rolled back where it was told to commit, since a statement of the transaction had failed.
    case rolledBack

    var description: String {
        switch self {
        case .cannotConnect(let message): "no connection to PostgreSQL: \(message)"
        case .connectionLost(let message): "the connection to PostgreSQL broke: \(message)"
        case .commitUnknown(let message): "the connection to PostgreSQL broke during COMMIT: \(message)"
        case .statementFailed(let state, let message): "\(message) (SQLSTATE \(state))"
        case .rolledBack: "PostgreSQL answered COMMIT with ROLLBACK: a statement of the transaction had failed"
        }
    }

    /// The code of a statement that was broken off.
    static let queryCancelled = "57014"
    /// The code of a row that a unique constraint refused.
    static let uniqueViolation = "23505"
}
