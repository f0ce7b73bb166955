import Foundation
import Testing

@testable import PerRequest

@Suite("Troubleshooting has an entry for each error and each report, and a misuse that says so")
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

    @Test("Each has a misuse that ends with its name")
    func misuses() throws {
        let names = Set(Misuse.all.flatMap { $0.message.matches(of: /\[(\w+)\]/) }.map { String($0.1) })
        let entries = try Set(entries(under: "Errors") + entries(under: "Reports"))
        #expect(names == entries)
    }
}
