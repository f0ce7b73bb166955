#if Inspector
/// Where the page is mounted.
struct MountPath: Sendable {
    private let components: [[UInt8]]

    init(_ path: String) {
        components = path.utf8.split(separator: UInt8(ascii: "/")).map { $0.map(\.lowercased) }
    }

    /// Whether a request for that is the page's, or for what is below it.
    ///
    /// Like the router, it takes several slashes for one; what differs in case only is the page's too.
    func contains(_ path: String) -> Bool {
        var rest = path.utf8[...]
        for component in components {
            guard rest.first == UInt8(ascii: "/") else { return false }
            rest = rest.drop { $0 == UInt8(ascii: "/") }
            for byte in component where rest.popFirst()?.lowercased != byte { return false }
        }
        return rest.first.map { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? true
    }
}

extension UInt8 {
    fileprivate var lowercased: UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self }
}
#endif
