import GRDB

/// The database could not be opened.
struct UnusableDatabase: Error, CustomStringConvertible {
    let path: String
    let cause: any Error

    var description: String {
        let reason = (cause as? DatabaseError)?.message ?? "\(cause)"
        return "the database \(path) cannot be used: \(reason)"
    }
}
