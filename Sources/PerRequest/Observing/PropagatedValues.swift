import Synchronization

/// The values of requests that may travel to other processes: their keys say under which name.
enum PropagatedValues {
    private struct Key: Sendable {
        let name: String
        let tag: Int32
        let encode: @Sendable (StoredValue) -> String?
    }

    private struct Marked: Sendable {
        var keys: [Key] = []
        /// Where the first key of a name is declared.
        var declarations: [String: SourcePosition] = [:]
    }

    private static let marked = Lock(Marked())

    /// Lets the values of a key travel.
    ///
    /// - Returns: Why they cannot; `nil` where they can. Keys of one declaration are one key that is made at each access.
    static func mark(
        _ name: String,
        _ tag: Int32,
        _ declaration: SourcePosition,
        _ encode: @escaping @Sendable (StoredValue) -> String?
    ) -> RequestStoreError.Reason? {
        guard name.isToken else { return .notPropagable(as: name, other: nil) }
        let other = marked.withLock { marked -> SourcePosition? in
            let first = marked.declarations[name] ?? declaration
            guard first == declaration else { return first }
            marked.declarations[name] = declaration
            marked.keys.append(Key(name: name, tag: tag, encode: encode))
            return nil
        }
        return other.map { .notPropagable(as: name, other: $0) }
    }

    /// Those that have been set in a store or above it, in the order in which their keys were first used.
    static func visible(in core: StoreCore) -> [(name: String, value: String)] {
        marked.withLock { $0.keys }.compactMap { key in
            guard case .found(let value, _) = core.read(.key(key.tag)) else { return nil }
            return key.encode(value).map { (key.name, $0) }
        }
    }
}

extension RequestStore {
    /// What travels of this store, by the names that it has in other processes; nothing once the request is over.
    package var propagated: [(name: String, value: String)] { PropagatedValues.visible(in: core) }

    /// Reports what did not travel, if there is something.
    package func report(unpropagated: [String]) {
        if !unpropagated.isEmpty { core.report(.notPropagated(unpropagated)) }
    }
}

extension RequestLocal {
    /// Whether a value has been set in a store or above it.
    package func isSet(in store: RequestStore) -> Bool {
        if case .found = store.core.read(key) { true } else { false }
    }

    /// Sets a value that came from elsewhere, unless the request has one or is over.
    ///
    /// - Returns: Whether it was set.
    @discardableResult
    package func receive(_ value: Value, in store: RequestStore) -> Bool {
        guard tag != Declarations.refusedTag, !isSet(in: store) else { return false }
        if case .written = store.core.exchange(nil, by: StoredValue(value), for: key) { return true }
        return false
    }
}

extension String {
    /// Whether it is a token of HTTP, as a member of W3C baggage is named by one.
    package var isToken: Bool { !isEmpty && utf8.allSatisfy(\.isTokenCharacter) }
}

extension UInt8 {
    fileprivate var isTokenCharacter: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(self)
        }
    }
}
