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
        let bytes = path.utf8.span
        let slash = UInt8(ascii: "/")
        var index = 0
        for component in components {
            guard index < bytes.count, bytes[index] == slash else { return false }
            while index < bytes.count, bytes[index] == slash { index += 1 }
            for byte in component {
                guard index < bytes.count, bytes[index].lowercased == byte else { return false }
                index += 1
            }
        }
        return index == bytes.count || bytes[index] == slash || bytes[index] == UInt8(ascii: "?")
    }
}

extension UInt8 {
    fileprivate var lowercased: UInt8 { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self }
}
#endif
