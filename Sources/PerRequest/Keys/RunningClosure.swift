/// A closure of a key's that runs in this task: an `initial` that makes a value, or an `update` that changes one.
///
/// One that comes to itself again would never end, so that those around are known.
final class RunningClosure: Sendable {
    @TaskLocal private static var innermost: RunningClosure?

    private let key: ValueKey
    private let name: String
    /// The store, for `update`; `nil` for an `initial`, which makes the same value for every store.
    private let store: Int?
    private let outer: RunningClosure?

    private init(_ key: ValueKey, _ name: String, in store: Int?, inside outer: RunningClosure?) {
        self.key = key
        self.name = name
        self.store = store
        self.outer = outer
    }

    /// The names from the key's closure that runs inward and back to it; `nil` if none runs.
    ///
    /// - Parameter store: The store that is to be changed; `nil` for an `initial`.
    static func path(to key: ValueKey, in store: Int?) -> [String]? {
        var names: [String] = []
        var next = innermost
        while let closure = next {
            names.insert(closure.name, at: 0)
            if closure.key == key, closure.store == store { return names + [closure.name] }
            next = closure.outer
        }
        return nil
    }

    /// Runs a key's closure, noted for what it calls.
    static func run<Result>(_ key: ValueKey, _ name: String, in store: Int?, _ body: () throws -> Result) rethrows
        -> Result
    {
        let closure = RunningClosure(key, name, in: store, inside: innermost)
        return try $innermost.withValue(closure) { try body() }
    }
}
