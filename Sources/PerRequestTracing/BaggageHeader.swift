#if Tracing
import PerRequest

/// What a process reads of W3C baggage: the members that it asked for.
///
/// Of any other text it reads as little as it can: its length is bounded before anything is made of it.
struct BaggageHeader {
    /// What is known of a member.
    enum Value: Equatable {
        case text(String)
        /// It is not what the format allows, or has control characters in it.
        case malformed
        /// It came twice, and says two things: whoever wrote the one did not know of the other.
        case ambiguous
    }

    private(set) var values: [String: Value] = [:]
    private(set) var problems: [String] = []

    /// Reads headers as if they were one.
    init(parsing headers: some Sequence<String>, for names: Set<String>, _ limits: RequestBaggage.Limits) {
        var (bytes, count) = (max(0, limits.bytes), 0)
        for header in headers {
            let text = header.utf8.prefix(bytes)
            let isCut = header.utf8.count > bytes
            var members = text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            // Half a member is none.
            if isCut { members.removeLast() }
            for member in members where !member.isBlank {
                guard count < limits.members else {
                    problems.append("there are more than \(limits.members) members: the rest was not read")
                    return
                }
                count += 1
                read(member, names)
            }
            guard !isCut else {
                problems.append("it is longer than \(limits.bytes) bytes: the rest was not read")
                return
            }
            bytes -= text.count
        }
    }

    private mutating func read(_ member: Substring.UTF8View, _ names: Set<String>) {
        guard let equals = member.firstIndex(of: UInt8(ascii: "=")) else { return }
        let name = member[..<equals].trimmed.text
        guard names.contains(name) else { return }
        // What is behind a semicolon is about the value, and nobody here wants to know.
        let value = member[member.index(after: equals)...].prefix { $0 != UInt8(ascii: ";") }.trimmed
        let read = Self.decoded(value).map(Value.text) ?? .malformed
        if let other = values[name], other != read { values[name] = .ambiguous } else { values[name] = read }
    }

    /// The text that a value stands for, unless it is malformed.
    private static func decoded(_ value: Substring.UTF8View) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(value.count)
        var rest = value[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                guard byte.isBaggageOctet else { return nil }
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexadecimal, let low = rest.popFirst()?.hexadecimal else { return nil }
            bytes.append(high << 4 | low)
        }
        guard let text = String(validating: bytes, as: UTF8.self), !text.hasControls else { return nil }
        return text
    }
}

extension BaggageHeader {
    /// Writes a header, within its limits: what does not fit is left out, and what is smaller and comes after it may still fit.
    struct Writer {
        private(set) var text = ""
        private(set) var problems: [String] = []
        private var count = 0
        private let limits: RequestBaggage.Limits

        init(_ limits: RequestBaggage.Limits) { self.limits = limits }

        /// Keeps the members that others have written, as they are, but for those of some names.
        mutating func keep(_ present: String, without names: Set<String>) {
            for member in present.utf8.split(separator: UInt8(ascii: ",")) where !member.isBlank {
                let name = member.prefix { $0 != UInt8(ascii: "=") }.trimmed.text
                if !names.contains(name) { append(member.trimmed.text, "what others have added") }
            }
        }

        /// Adds a member.
        mutating func add(_ name: String, _ value: String) {
            guard !value.hasControls else {
                problems.append("\"\(name)\" was not sent: there are control characters in it")
                return
            }
            append("\(name)=\(value.percentEncoded)", "\"\(name)\"")
        }

        private mutating func append(_ member: String, _ what: String) {
            guard count < limits.members else {
                problems.append("\(what) was not sent: there are \(limits.members) members")
                return
            }
            let comma = text.isEmpty ? 0 : 1
            guard text.utf8.count + comma + member.utf8.count <= limits.bytes else {
                problems.append("\(what) was not sent: with it, there are more than \(limits.bytes) bytes")
                return
            }
            count += 1
            text += comma == 0 ? member : ",\(member)"
        }
    }
}

extension Substring.UTF8View {
    fileprivate var isBlank: Bool { allSatisfy(\.isBlank) }

    fileprivate var text: String { String(Substring(self)) }

    fileprivate var trimmed: Substring.UTF8View {
        let start = drop(while: \.isBlank)
        guard let last = start.lastIndex(where: { !$0.isBlank }) else { return start }
        return start[...last]
    }
}

extension UInt8 {
    fileprivate var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

    /// Whether it may be in a value: what is visible in ASCII, but for `"`, `,`, `;` and `\`.
    fileprivate var isBaggageOctet: Bool {
        switch self {
        case 0x21, 0x23...0x2B, 0x2D...0x3A, 0x3C...0x5B, 0x5D...0x7E: true
        default: false
        }
    }

    fileprivate var hexadecimal: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension String {
    fileprivate var hasControls: Bool { unicodeScalars.contains { $0.properties.generalCategory == .control } }

    fileprivate var percentEncoded: String {
        let digits = Array("0123456789ABCDEF".unicodeScalars)
        var encoded = ""
        for byte in utf8 {
            if byte.isBaggageOctet, byte != UInt8(ascii: "%") {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded.unicodeScalars.append("%")
                encoded.unicodeScalars.append(digits[Int(byte >> 4)])
                encoded.unicodeScalars.append(digits[Int(byte & 15)])
            }
        }
        return encoded
    }
}
#endif
