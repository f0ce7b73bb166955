#if Inspector
import PerRequest

/// Writes JSON.
///
/// Nothing in it can be taken for markup, wherever it ends up: `<`, `>`, `&` and what ends a line are escaped.
struct JSON: Sendable {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    mutating func object(_ body: (inout JSON) -> Void) { nested("{", "}", body) }

    mutating func array<Elements: Sequence>(_ elements: Elements, _ body: (inout JSON, Elements.Element) -> Void) {
        nested("[", "]") { json in
            for element in elements { body(&json, element) }
        }
    }

    mutating func field(_ name: StaticString, _ body: (inout JSON) -> Void) {
        begin()
        append("\"\(name)\":")
        needsComma = false
        body(&self)
    }

    mutating func field(_ name: StaticString, _ value: String?) {
        if let value { field(name) { $0.string(value) } }
    }

    mutating func field(_ name: StaticString, _ value: Int?) {
        if let value { field(name) { $0.number(value) } }
    }

    mutating func field(_ name: StaticString, _ time: Moment?) { field(name, time?.microseconds) }

    mutating func field(_ name: StaticString, _ value: Bool) {
        field(name) { $0.raw(value ? "true" : "false") }
    }

    mutating func field<Elements: Sequence>(
        _ name: StaticString,
        _ elements: Elements,
        _ body: (inout JSON, Elements.Element) -> Void
    ) {
        field(name) { $0.array(elements, body) }
    }

    mutating func number(_ value: Int) { raw("\(value)") }

    mutating func null() { raw("null") }

    mutating func string(_ value: String) {
        begin()
        bytes.append(UInt8(ascii: "\""))
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": append("\\\"")
            case "\\": append("\\\\")
            case "\u{0}"..."\u{1f}", "<", ">", "&", "\u{7f}", "\u{2028}", "\u{2029}": escape(scalar)
            default: bytes.append(contentsOf: UTF8.encode(scalar)!)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ scalar: Unicode.Scalar) {
        let digits = String(scalar.value, radix: 16)
        append("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
    }

    private mutating func raw(_ text: String) {
        begin()
        append(text)
    }

    private mutating func nested(_ opening: Unicode.Scalar, _ closing: Unicode.Scalar, _ body: (inout JSON) -> Void) {
        begin()
        bytes.append(UInt8(ascii: opening))
        needsComma = false
        body(&self)
        bytes.append(UInt8(ascii: closing))
        needsComma = true
    }

    private mutating func begin() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
}
#endif
