import Synchronization

/// Where the keys of the process are declared: by that a key is known again that is made at each access.
///
/// A key is noted when it is made, once for a constant, and looked for when an error is.
enum Declarations {
    /// How many keys one declaration may make.
    static let limit = 1_000

    /// The tag of those that are too many: nothing is ever found under it.
    ///
    /// It takes none of the numbers that are given: those of keys that are used together are close together.
    static var refusedTag: Int32 { ValueKey.tag(0, isCarried: false) }

    struct Local: Sendable {
        let tag: Int32
        let declaration: SourcePosition
    }

    private struct Noted: Sendable {
        var counts: [SourcePosition: Int] = [:]
        var locals: [String: [Local]] = [:]

        mutating func admits(_ declaration: SourcePosition) -> Bool {
            let count = counts[declaration, default: 0]
            guard count < limit else { return false }
            counts[declaration] = count + 1
            return true
        }
    }

    private static let noted = Lock(Noted())

    /// The tag of a new local that is declared there.
    static func tag(of name: String, at declaration: SourcePosition, isCarried: Bool) -> Int32 {
        noted.withLock { noted in
            guard noted.admits(declaration) else { return refusedTag }
            let tag = ValueKey.tag(Identity.nextLocal(), isCarried: isCarried)
            noted.locals[name, default: []].append(Local(tag: tag, declaration: declaration))
            return tag
        }
    }

    /// Whether a resource or a memo that is declared there can be used.
    static func admits(_ declaration: SourcePosition) -> Bool { noted.withLock { $0.admits(declaration) } }

    /// The other locals of a name.
    static func others(named name: String, than tag: Int32) -> [Local] {
        noted.withLock { noted in noted.locals[name] ?? [] }.filter { $0.tag != tag }
    }

    /// The names of the locals with these tags.
    static func names(of tags: Set<Int32>) -> [Int32: String] {
        let locals = noted.withLock { $0.locals }
        var names: [Int32: String] = [:]
        for (name, locals) in locals { for local in locals where tags.contains(local.tag) { names[local.tag] = name } }
        return names
    }
}
