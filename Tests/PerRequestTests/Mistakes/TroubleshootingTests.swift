import Foundation
import Testing

@testable import PerRequest

@Suite("Troubleshooting has an entry for each error and each report, and each message names it")
struct TroubleshootingTests {
    private static let root = URL(filePath: #filePath).appending(path: "../../../..").standardized

    private func text(_ path: String) throws -> String {
        try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    /// The names of the cases of the enum that is declared in a file.
    private func cases(of name: String, in path: String) throws -> [String] {
        let lines = try text(path).components(separatedBy: "\n")
        let first = try #require(lines.firstIndex { $0.hasPrefix("    public enum \(name):") })
        return lines[first...].prefix { $0 != "    }" }.compactMap { line in
            line.firstMatch(of: /^        case (\w+)/).map { String($0.1) }
        }
    }

    private func entries(under heading: String) throws -> [String] {
        let lines = try text("Sources/PerRequest/PerRequest.docc/Troubleshooting.md").components(separatedBy: "\n")
        let first = try #require(lines.firstIndex(of: "## \(heading)"))
        return lines[(first + 1)...].prefix { !$0.hasPrefix("## ") }.compactMap { line in
            line.firstMatch(of: /^### (\w+)$/).map { String($0.1) }
        }
    }

    @Test("Each reason of an error has an entry")
    func reasons() throws {
        let cases = try cases(of: "Reason", in: "Sources/PerRequest/Errors/RequestStoreError.swift")
        #expect(cases.count > 25)
        #expect(try entries(under: "Errors") == cases.sorted { $0.lowercased() < $1.lowercased() })
    }

    @Test("Each kind of a report has an entry")
    func kinds() throws {
        let cases = try cases(of: "Kind", in: "Sources/PerRequest/Scope/RequestReport.swift")
        #expect(cases.count >= 8)
        #expect(try entries(under: "Reports") == cases.sorted { $0.lowercased() < $1.lowercased() })
    }

    private static let position = SourcePosition(fileID: "Module/File.swift", line: 1, column: 2)

    @Test(
        "An error's message ends with its name",
        arguments: [
            (RequestStoreError.Reason.unset, "unset"), (.claimed(by: "a", for: nil), "claimed"),
            (.resourceLost(nil), "resourceLost"), (.resourceLost(TestError()), "resourceLost"),
            (.releasePointBegan(.beforeResponse), "releasePointBegan"), (.cycle(["a", "a"]), "cycle"),
            (.pointTimedOut(.beforeResponse, .seconds(1)), "pointTimedOut"),
            (.otherKeySet(declaredAt: position, other: position), "otherKeySet"),
        ]
    )
    func message(_ reason: RequestStoreError.Reason, _ name: String) {
        #expect("\(RequestStoreError(key: "key", request: "1", reason: reason))".hasSuffix(" [\(name)]"))
    }

    @Test(
        "A report's message ends with its name",
        arguments: [
            (RequestReport.Kind.jobCut(job: "job"), "jobCut"), (.abandoned(resources: []), "abandoned"),
            (.pointOverran(.afterResponse, .seconds(1)), "pointOverran"),
            (.blocked(resource: "a", acquiredAt: position, .seconds(1)), "blocked"),
        ]
    )
    func message(_ kind: RequestReport.Kind, _ name: String) {
        #expect("\(RequestReport(request: "1", kind: kind))".hasSuffix(" [\(name)]"))
    }

    @Test("A captive memo is told `until:`, and code outside a request which test kit there is")
    func remedies() {
        func text(_ reason: RequestStoreError.Reason) -> String {
            "\(RequestStoreError(key: "transaction", request: nil, reason: reason))"
        }
        #expect(text(.captive(by: "byID")).contains("a memo with `until: .beforeResponse`"))
        #expect(
            text(.outsideRequest).contains(
                "`withTestRequestStore { }` or the trait `.requestStore` of PerRequestTesting"
            )
        )
    }

    @Test("A job's report does not read as if the response had failed")
    func job() {
        let text = "\(RequestReport(request: "9", kind: .jobFailed(job: "mail", TestError("smtp"))))"
        #expect(
            text == """
                request 9: the job "mail" failed, after a response that it does not affect: TestError(name: "smtp") [jobFailed]
                """
        )
    }
}
