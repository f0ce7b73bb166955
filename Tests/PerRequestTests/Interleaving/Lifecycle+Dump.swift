@testable import PerRequest

extension Lifecycle {
    /// All there is, one thing a line: to read where a request hangs.
    var dump: String {
        var lines: [String] = []
        for place in [0] + children.all.map({ $0 + 1 }) {
            let scope = self[scope: place]
            let nesting = self[nesting: place]
            let next = entries.places(in: scope.ready, .other).map(entries.id)
            let waited = children.places(in: scope.children, .owner).map { scopeID(at: $0 + 1) }
            lines.append(
                """
                scope \(scopeID(at: place)) of \(nesting.parent): \(scope.phase), \(scope.verdict), \(scope.response), \
                in \(nesting.openedIn)\(nesting.isBound ? " bound" : ""), close \(scope.closeRequested), \
                gone \(scope.hasProceeded), alive \(scope.alive), children \(scope.openChildren) \(waited), \
                cancelling \(scope.cancellingBefore) \(scope.cancellingAfter), awaiting \(scope.awaiting), \
                releasing \(scope.releasing < 0 ? -1 : entries.id(at: scope.releasing)), ready \(next)
                """
            )
        }
        for place in entries.all {
            let entry = entries[place]
            lines.append(
                """
                entry \(entries.id(at: place)) of resource \(entry.resource) in \(scopeID(at: entry.scope)): \
                \(entry.form) \(entry.point) \(entry.state), early \(entry.early.map { "\($0)" } ?? "-"), \
                uses \(entry.uses), turn \(entry.turn), dependencies \(entry.dependencies.all), \
                dependents \(entry.dependents.all), \(entry.ownDependents) + \(entry.foreignDependents), \
                memos \(entry.memos.all)\(entry.isReady ? ", ready" : "")
                """
            )
        }
        for place in calls.all {
            let call = calls[place]
            let isOfEntry = call.target >= 0 && call.kind != .phase
            let target = isOfEntry ? "entry \(entries.id(at: call.target))" : "\(call.target)"
            lines.append(
                """
                call \(calls.id(at: place)): \(call.kind)\(call.isRunning ? " runs" : "") \(target), \
                inside \(call.inside.map(name) ?? "-")
                """
            )
        }
        return lines.joined(separator: "\n")
    }

    private func name(_ node: Node) -> String {
        switch node {
        case .entry(let place): "entry \(entries.id(at: place))"
        case .call(let place): "call \(calls.id(at: place))"
        case .scope(let place): "scope \(scopeID(at: place))"
        }
    }
}
