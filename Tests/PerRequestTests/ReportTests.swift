import Synchronization
import Testing

@testable import PerRequest

@Suite("Reports (rules 8 and 18)", .timeLimit(.minutes(10)))
struct ReportTests {
    /// What ends a line somewhere, controls a terminal, or makes the rest read in the other direction.
    private static let hostile = "a\nb\rc\r\nd\u{0}e\u{B}f\u{C}g\u{1B}[2Kh\u{7F}i\u{85}j\u{2028}k\u{2029}l\u{202E}m\tn"
    private static let escaped =
        #"a\nb\rc\r\nd\0e\u{0B}f\u{0C}g\u{1B}[2Kh\u{7F}i\u{0085}j\u{2028}k\u{2029}l\u{202E}m\tn"#

    private struct Hostile: Error, CustomStringConvertible {
        let description = ReportTests.hostile
    }

    private static let position = SourcePosition(fileID: hostile, line: 1)

    private static let kinds: [(RequestReport.Kind, parts: Int)] = [
        (.releaseFailed(ReleaseFailure(resource: hostile, acquiredAt: position, error: Hostile())), 3),
        (.flightOverran(resource: hostile, acquiredAt: position), 2),
        (.pointOverran(.afterResponse, .seconds(1), resources: [hostile]), 1),
        (.heldTooLong(resource: hostile, acquiredAt: position, .seconds(1)), 2),
        (.abandoned(resources: [hostile, hostile]), 2),
        (.jobFailed(job: hostile, Hostile()), 2),
        (.jobCut(job: hostile), 1),
        (.notPropagated([hostile]), 1),
    ]

    @Test("Rule 18: a report is one line, whatever is in an id, a name or an error", arguments: kinds.indices)
    func oneLine(_ index: Int) {
        let (kind, parts) = Self.kinds[index]
        let text = "\(RequestReport(request: Self.hostile, kind: kind))"
        #expect(text.ranges(of: Self.escaped).count == parts + 1)
        #expect(
            !text.unicodeScalars.contains { $0.value < 32 || [0x7F, 0x85, 0x2028, 0x2029, 0x202E].contains($0.value) }
        )
    }

    @Test("Rule 18: what needs no escape is left as it is")
    func harmless() {
        let name = #"C:\new "é" 👩‍👩‍👧 שלום e\#u{301}"#
        #expect("\(RequestReport(request: "1", kind: .jobCut(job: name)))".contains(name))
    }

    @Test("Rule 8: a handler that reports when it is let go may be replaced")
    func handlerThatReportsWhenItGoes() {
        let reports = Journal()
        let report: @Sendable (String) -> Void = {
            RequestReport.handle(RequestReport(request: $0, kind: .jobCut(job: $0)))
        }
        let note: @Sendable (RequestReport) -> Void = {
            if $0.request.hasPrefix("ReportTests") { reports.note($0.request) }
        }
        func set(_ owner: Tracked) {
            RequestReport.setHandler { report in
                _ = owner
                note(report)
            }
        }
        set(Tracked { report("ReportTests 1") })
        set(Tracked { report("ReportTests 2") })
        RequestReport.setHandler(note)
        report("ReportTests 3")
        RequestReport.setHandler(nil)
        #expect(reports.entries == ["ReportTests 1", "ReportTests 2", "ReportTests 3"])
    }
}
