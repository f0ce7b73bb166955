/// Thrown by ``RequestUse`` into an `around` function when the request did not succeed.
///
/// It tells the function (`withTransaction`, for example) to roll back. Let it through: a function that swallows it may
/// have committed, which is reported as a release failure.
public struct RequestRollback: Error {
    /// What became of the request.
    public let outcome: RequestOutcome
}

extension RequestRollback: CustomStringConvertible {
    /// The outcome that asks for the rollback.
    public var description: String { "The request did not succeed (\(outcome)); roll back." }

    /// Whether `error` is a rollback or carries one among its stored properties, as drivers that wrap the error of a
    /// transaction's closure do.
    static func isCarried(by error: any Error) -> Bool {
        error is RequestRollback
            || Mirror(reflecting: error).children.contains { child in
                guard case let inner as any Error = child.value else { return false }
                return isCarried(by: inner)
            }
    }
}
