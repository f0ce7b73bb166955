import Hummingbird

/// A failure that a client can ask for with `?fail=`, to see that nothing of the request is left in the database,
/// or, in an import, of its second note.
enum ForcedFailure: String, Sendable {
    /// The handler throws after it has written.
    case handler
    /// The same, with an error that is a response.
    case conflict
    /// The database refuses a statement of the handler.
    case statement
    /// The handler succeeds, and the commit fails.
    case commit

    struct InHandler: Error {}

    init?(_ request: Request) throws {
        guard let name = request.uri.queryParameters["fail"] else { return nil }
        guard let failure = Self(rawValue: String(name)) else {
            throw HTTPError(.badRequest, message: "`fail` is one of handler, conflict, statement and commit.")
        }
        self = failure
    }

    func happen() async throws {
        switch self {
        case .handler: throw InHandler()
        case .conflict: throw HTTPError(.conflict, message: "The note conflicts with another one.")
        case .statement: try await NotesRepository.makeStatementFail()
        case .commit: try await NotesRepository.makeCommitFail()
        }
    }
}
