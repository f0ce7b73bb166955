import Synchronization

extension StoreCore {
    /// The entry of a memo and its arguments, which is added if there is none, and the value, if it is there already.
    func memoEntry(
        _ memo: Int,
        _ arguments: MemoArguments,
        until point: ReleasePoint
    ) -> (MemoTable.Key, resource: Int, box: AnyBox?) {
        let key = MemoTable.Key(memo: memo, hash: arguments.hash)
        while true {
            let bucket = state.withLock { $0.memos.bucket(key) }
            if let found = bucket.first(where: { $0.arguments.isEqual(to: arguments) }) {
                return (key, found.resource, found.box)
            }
            let entry = MemoTable.Entry(arguments: arguments, resource: Identity.nextKey(), point: point)
            let isAdded = state.withLock { state in
                // Nothing can be acquired once its point began; then there is nothing to keep either.
                state.lifecycle.hasBegun(point) || state.memos.add(entry, to: key, expecting: bucket)
            }
            if isAdded { return (key, entry.resource, nil) }
        }
    }

    /// Forgets the value of a memo and its arguments.
    func forget(memo: Int, _ arguments: MemoArguments) {
        let key = MemoTable.Key(memo: memo, hash: arguments.hash)
        let bucket = state.withLock { $0.memos.bucket(key) }
        guard let found = bucket.first(where: { $0.arguments.isEqual(to: arguments) }) else { return }
        let removed = state.withLock { $0.memos.remove(key, resource: found.resource) }
        withExtendedLifetime(removed) {}
    }
}

/// One call of a memoized function.
struct MemoCall<Value: Sendable>: Acquirable {
    let info: ResourceInfo
    let body: @Sendable @concurrent () async throws -> Value

    func makeRelease(in core: StoreCore) -> Acquisition.ReleaseForm { .closure { _, _ in } }

    func fly(_ acquisition: Acquisition, in core: StoreCore) async {
        do {
            core.arrived(acquisition, Box(try await body()))
        } catch {
            core.flightFailed(acquisition, error)
        }
    }
}
