#if Tracing
import Testing

@testable import PerRequestTracing

@Suite("The baggage header")
struct BaggageHeaderTests {
    private func read(_ headers: String..., limits: RequestBaggage.Limits = .init()) -> BaggageHeader {
        BaggageHeader(parsing: headers, for: ["tenant", "locale"], limits)
    }

    @Test("What is written is read, whatever it is", arguments: 0..<50)
    func roundTrip(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let text = String.random(using: &random)
            var writer = BaggageHeader.Writer(.init())
            writer.keep("other=1;property, flag", without: [])
            writer.add("tenant", text)
            #expect(writer.problems == [])
            #expect(writer.text.utf8.allSatisfy { (0x20...0x7E).contains($0) })
            let header = read(writer.text)
            #expect(header.values == ["tenant": .text(text)])
            #expect(header.problems == [])
        }
    }

    @Test(
        "A member is read as the specification has it",
        arguments: [
            ("tenant=acme", "acme"), (" tenant\t=\t acme  ", "acme"), ("tenant=acme;ttl=1;x", "acme"),
            ("tenant=acme ; x", "acme"), ("a=1,,tenant=acme,", "acme"), ("tenant=a=b==", "a=b=="), ("tenant=", ""),
            ("tenant=%41%e2%82%ac", "A€"), ("tenant=a%2Cb%3Bc%25", "a,b;c%"), ("tenant=acme,tenant=%61cme", "acme"),
            ("TENANT=x, tenant=acme", "acme"),
        ]
    )
    func member(header: String, value: String) {
        #expect(read(header).values == ["tenant": .text(value)])
    }

    @Test(
        "A value that is malformed is none",
        arguments: [
            "tenant=a b", "tenant=\"acme\"", "tenant=a\\b", "tenant=é", "tenant=%", "tenant=%4", "tenant=%zz",
            "tenant=%ff", "tenant=%c0%80", "tenant=%ed%a0%80", "tenant=a\u{0}", "tenant=a%00", "tenant=%0d%0aX:%20y",
            "tenant=a\nb", "tenant=%7f", "tenant=%c2%85",
        ]
    )
    func malformed(header: String) {
        #expect(read("locale=en,\(header)").values == ["tenant": .malformed, "locale": .text("en")])
    }

    @Test(
        "What is no member of an accepted name is nothing",
        arguments: ["", ",", "=", "tenant", "a;tenant=x", "tenant;p=1", "te nant=x", "=tenant", ";;;", "Tenant=x"]
    )
    func nothing(header: String) {
        #expect(read(header).values.isEmpty)
        #expect(read(header).problems == [])
    }

    @Test("What comes twice and says two things is ambiguous, wherever it comes")
    func ambiguous() {
        #expect(read("tenant=a,tenant=b").values == ["tenant": .ambiguous])
        #expect(read("tenant=a", "locale=en,tenant=b").values == ["tenant": .ambiguous, "locale": .text("en")])
        #expect(read("tenant=a,tenant=b,tenant=a").values == ["tenant": .ambiguous])
        #expect(read("tenant=%,tenant=a").values == ["tenant": .ambiguous])
    }

    @Test("Beyond the limits nothing is read, and half a member is none")
    func limits() {
        let long = read("locale=en,tenant=acme", limits: .init(bytes: 20))
        #expect(long.values == ["locale": .text("en")])
        #expect(long.problems == ["it is longer than 20 bytes: the rest was not read"])
        #expect(read("locale=en,tenant=acme", limits: .init(bytes: 21)).values["tenant"] == .text("acme"))
        #expect(read("locale=en", "tenant=acme", limits: .init(bytes: 19)).values["tenant"] == nil)
        let many = read("a=1,b=2,tenant=acme", limits: .init(members: 2))
        #expect(many.values.isEmpty)
        #expect(many.problems == ["there are more than 2 members: the rest was not read"])
        #expect(read("tenant=a", limits: .init(bytes: -1)).values.isEmpty)
        #expect(read("tenant=a", limits: .init(members: -1)).values.isEmpty)
        #expect(read("tenant=a", limits: .init(bytes: .max, members: .max)).values == ["tenant": .text("a")])
        let huge = read(String(repeating: "a=1,", count: 1_000_000) + "tenant=acme")
        #expect(huge.values.isEmpty)
    }

    @Test("What does not fit is left out and said, and what is smaller still fits")
    func writing() {
        var writer = BaggageHeader.Writer(.init(bytes: 18, members: 3))
        writer.add("tenant", "acme")
        writer.add("long", String(repeating: "x", count: 10))
        writer.add("a", "1")
        writer.add("control", "a\nb")
        writer.add("b", "")
        writer.add("c", "")
        #expect(writer.text == "tenant=acme,a=1,b=")
        #expect(
            writer.problems == [
                "\"long\" was not sent: with it, there are more than 18 bytes",
                "\"control\" was not sent: there are control characters in it",
                "\"c\" was not sent: there are 3 members",
            ]
        )
    }

    @Test("What others have written stays as it is, but for what is written anew")
    func others() {
        var writer = BaggageHeader.Writer(.init())
        writer.keep(" a=%41;p=1 ,, tenant=theirs;x,b ", without: ["tenant"])
        writer.add("tenant", "ours")
        #expect(writer.text == "a=%41;p=1,b,tenant=ours")
    }

    @Test("Whatever bytes come, reading them ends, and what is read could have been written", arguments: 0..<50)
    func fuzz(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "tenant", "locale", "=", "=", ",", ",", ";", "%", "%41", "%0", "%ff", " ", "\t", "\"", "\\", "é", "\u{0}",
            "\r\n",
            "a", "x=1", "👩‍👩‍👧", "\u{202E}", "tenant=acme",
        ]
        for _ in 0..<500 {
            let header = (0..<Int.random(in: 0..<20, using: &random)).map { _ in
                pieces.randomElement(using: &random)!
            }.joined()
            let limits = RequestBaggage.Limits(bytes: .random(in: 0...60, using: &random), members: 5)
            for case (let name, .text(let value)) in read(header, limits: limits).values {
                var writer = BaggageHeader.Writer(.init())
                writer.add(name, value)
                #expect(read(writer.text).values == [name: .text(value)])
            }
        }
    }
}

/// The same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension String {
    /// Any text without control characters.
    static func random(using random: inout some RandomNumberGenerator) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...20, using: &random) {
            let range: ClosedRange<UInt32> = Bool.random(using: &random) ? 0x20...0x7E : 0xA0...0x10_FFFF
            guard let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) else { continue }
            text.unicodeScalars.append(scalar)
        }
        return text
    }
}
#endif
