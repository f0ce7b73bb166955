import GRDB

/// The database could not be opened.
struct UnusableDatabase: Error, CustomStringConvertible {
    /// What to call it in front of people: no URL, which may hold a password.
    let name: String
    let cause: any Error

    var description: String {
        let reason = (cause as? DatabaseError)?.message ?? "\(cause)"
        return "the database \(name) cannot be used: \(reason)"
    }
}
