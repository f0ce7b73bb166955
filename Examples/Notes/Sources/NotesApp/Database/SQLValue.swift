/// A value that is given to a statement or comes from one.
enum SQLValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case text(String)
}
