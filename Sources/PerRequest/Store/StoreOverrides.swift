import Synchronization

/// What takes the place of values, resources and memos in a store, its children and its jobs: for `PerRequestTesting`.
package struct StoreOverrides: Sendable {
    /// A resource's form, by its key's identity.
    private var functions: [Int: ResourceInfo.Function] = [:]
    /// A memo with another function, by its key's identity.
    private var memos: [Int: any Sendable] = [:]
    /// The values that a store has from its opening on, and that nobody changes.
    private(set) var pinned = ValueTable()
    /// What is done before the request settles.
    fileprivate var beforeSettling: (@Sendable (RequestStore) async -> Void)?

    /// Makes none, or those that are around the running code.
    package init(addingTo scope: OverrideScope? = nil) {
        if let scope { self = scope.replacements }
    }

    /// Pins a value: it is there from the opening on, and what is set is ignored.
    package mutating func pin<Value>(_ key: RequestLocal<Value>, to value: Value) {
        pinned[key.key] = StoredValue(value)
    }

    /// Lets a value be set again.
    package mutating func unpin<Value>(_ key: RequestLocal<Value>) { pinned[key.key] = nil }

    /// Lets a resource be made by `acquire`, and its release do nothing.
    ///
    /// All else about it stays: its name, its point, its limits.
    package mutating func replace<Value: Sendable>(
        _ resource: RequestResource<Value>,
        by acquire: @escaping @Sendable () async throws -> Value
    ) {
        functions[resource.info.id] = .closures(
            acquire: { Box(try await acquire()) },
            release: { _, _ in }
        )
    }

    /// Lets a memo call another function.
    package mutating func replace<Value: Sendable, each Argument: Hashable & Sendable>(
        _ memo: RequestMemo<Value, repeat each Argument>,
        by body: @escaping @Sendable @concurrent (repeat each Argument) async throws -> Value
    ) {
        memos[memo.id] = memo.calling(body)
    }

    /// Does something to a request's store before it settles with a success in view; to those of its jobs nothing.
    package mutating func force(_ force: @escaping @Sendable (RequestStore) async -> Void) { beforeSettling = force }
}

extension StoreConfiguration {
    func function(of resource: ResourceInfo) -> ResourceInfo.Function {
        guard isOverridden else { return resource.function }
        return overrides?.replacements.function(of: resource) ?? resource.function
    }

    func isAround(_ resource: ResourceInfo) -> Bool {
        guard isOverridden else { return resource.form == .around }
        if case .around = function(of: resource) { return true }
        return false
    }

    /// The memo to call in the place of one.
    func memo(_ id: Int) -> (any Sendable)? { isOverridden ? overrides?.replacements.memo(id) : nil }

    /// The values that a new store has.
    func values(over values: ValueTable?) -> ValueTable? {
        guard isOverridden, let pinned = overrides?.replacements.pinned, !pinned.isEmpty else { return values }
        return values?.overlaid(by: pinned) ?? pinned
    }

    func pins(_ key: ValueKey) -> Bool { isOverridden && overrides?.replacements.pinned[key] != nil }
}

extension StoreOverrides {
    fileprivate func function(of resource: ResourceInfo) -> ResourceInfo.Function? { functions[resource.id] }

    fileprivate func memo(_ id: Int) -> (any Sendable)? { memos[id] }
}

extension StoreCore {
    /// Does what a test wants done before the request settles.
    nonisolated(nonsending) func forceOutcome() async {
        guard parent == nil, let force = configuration.overrides?.replacements.beforeSettling else { return }
        if configuration.isOfJobs { return }
        guard request.state.withLock({ $0.lifecycle.phase(of: scope) == .open }) else { return }
        let store = RequestStore(core: self)
        // The opener's cancellation does not change what becomes of the request.
        await Task.immediate { await force(store) }.value
    }
}

/// An error that a test wants: nobody is told of it but the request's outcome.
package protocol IntendedFailure: Error {}
