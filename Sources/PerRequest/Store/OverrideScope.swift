import Synchronization

/// The overrides of a test's store, or of every store that is opened in the body of a test: for `PerRequestTesting`.
package final class OverrideScope: Sendable {
    @TaskLocal private static var current: OverrideScope?
    /// Whether there have ever been any: all that a process without overrides asks.
    private static let isInstalled = Atomic(false)

    let replacements: StoreOverrides
    /// Those around these, which are among them.
    private let outer: OverrideScope?
    private let hasStores = Atomic(false)

    /// Makes overrides, which have to contain those around the running code.
    package init(_ replacements: StoreOverrides) {
        self.replacements = replacements
        outer = .present
    }

    /// Whether a store was opened under them.
    package var isUsed: Bool { hasStores.load(ordering: .relaxed) }

    /// The overrides around the running code.
    package static var present: OverrideScope? { isInstalled.load(ordering: .relaxed) ? current : nil }

    /// Runs `body` with every store that is opened in it under these overrides.
    package nonisolated(nonsending) func run<Result>(
        _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        Self.isInstalled.store(true, ordering: .relaxed)
        return try await Self.$current.withValue(self) { try await body() }
    }

    fileprivate func noteStore() {
        var next: OverrideScope? = self
        while let scope = next {
            scope.hasStores.store(true, ordering: .relaxed)
            next = scope.outer
        }
    }
}

extension StoreConfiguration {
    /// That of a store that is opened here: with the overrides around it, if it has none of its own.
    var here: StoreConfiguration {
        guard let present = OverrideScope.present else { return self }
        present.noteStore()
        return isOverridden ? self : overridden(by: present)
    }
}
