/// The values of a store.
typealias ValueTable = [ValueKey: AnyBox]

/// What a value is stored under.
///
/// Typed keys and names are apart.
@usableFromInline
enum ValueKey: Hashable, Sendable {
    case key(Int)
    /// A key whose value is not for the work after the response.
    case requestOnly(Int)
    case name(String)

    /// Whether work after the response gets the value.
    var isCarried: Bool {
        if case .requestOnly = self { false } else { true }
    }
}
