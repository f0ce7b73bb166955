/// The values of a store.
typealias ValueTable = [ValueKey: AnyBox]

/// What a value is stored under.
///
/// Typed keys and names are apart.
enum ValueKey: Hashable, Sendable {
    case key(Int)
    case name(String)
}
