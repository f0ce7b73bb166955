import Foundation
package import PerRequestAdapters
import PerRequestTesting

/// A column of the table in *What adapters hold*, as it follows from an adapter's list.
package struct SupportTable {
    private let framework: String
    private let unmet: [UnmetGuarantee]

    /// Makes a column.
    ///
    /// - Parameters:
    ///   - framework: The column's heading.
    ///   - unmet: The adapter's list.
    package init(_ framework: String, _ unmet: [UnmetGuarantee]) {
        self.framework = framework
        self.unmet = unmet
    }

    /// What the page does not say, or says otherwise: the lines and cells to correct.
    package func differencesFromPage() throws -> [String] {
        let page = URL(filePath: #filePath).appending(path: "../../../Documentation/WhatAdaptersHold.md").standardized
        let lines = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "\n")
        let rows = lines.filter { $0.hasPrefix("|") }.map(cells)
        guard let column = rows.first(where: { $0[0] == "reaches the store" })?.firstIndex(of: framework) else {
            return ["no column \(framework)"]
        }
        let wrongCells = RequestCodePath.allCases.filter { codePath in
            !rows.contains { $0[0] == codePath.description && column < $0.count && $0[column] == cell(codePath) }
        }
        return wrongCells.map { "\($0): \(cell($0))" } + footnotes.filter { !lines.contains($0) }
            + lines.filter { $0.hasPrefix("[^\(mark)-") && !footnotes.contains($0) }.map { "out of date: \($0)" }
    }

    private func cells(_ row: String) -> [String] {
        row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private func cell(_ codePath: RequestCodePath) -> String {
        let marks = unmet.indices.filter { unmet[$0].codePath == codePath }.map { "[^\(mark)-\($0 + 1)]" }
        return ConformanceSupport(of: codePath, without: unmet).rawValue + marks.joined()
    }

    private var footnotes: [String] {
        unmet.enumerated().map { number, entry in
            "[^\(mark)-\(number + 1)]: \(framework), rule \(entry.rule): \(entry.explanation)"
        }
    }

    private var mark: String { framework.lowercased().filter(\.isLetter) }
}
