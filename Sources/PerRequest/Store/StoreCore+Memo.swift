import Synchronization

extension StoreCore {
    /// The entry of a memo and its arguments, which is added if there is none.
    func memoEntry(
        _ memo: Int,
        _ arguments: MemoArguments,
        until point: ReleasePoint
    ) -> (key: MemoTable.Key, entry: MemoTable.Entry) {
        let key = MemoTable.Key(memo: memo, hash: arguments.hash)
        let owner = owner(of: memo)
        let request = request
        while true {
            let bucket = request.state.withLock { $0.read(owner) { $0.memos.bucket(key) } }
            if let found = bucket.first(where: { $0.arguments.isEqual(to: arguments) }) { return (key, found) }
            let entry = MemoTable.Entry(arguments: arguments, id: Identity.nextKey(), point: point)
            let isAdded = request.state.withLock { state in
                // Nothing can be acquired once its point began; then there is nothing to keep either.
                state.lifecycle.hasBegun(point, scope: owner)
                    || state.change(owner) { $0.memos.add(entry, to: key, expecting: bucket) }
            }
            if isAdded { return (key, entry) }
        }
    }

    /// Keeps the value of a memo where it is found without asking the lifecycle.
    func hit(_ key: MemoTable.Key, id: Int, _ tag: Int32) {
        request.state.withLock { state in
            guard let hits = state.own.memos.hit(key, id: id) else { return }
            slot.memory.publish(Box(hits), tag, of: identity)
        }
    }

    /// Forgets the value of a memo and its arguments.
    func forget(memo: Int, _ arguments: MemoArguments) {
        let key = MemoTable.Key(memo: memo, hash: arguments.hash)
        let owner = owner(of: memo)
        let bucket = request.state.withLock { $0.read(owner) { $0.memos.bucket(key) } }
        guard let found = bucket.first(where: { $0.arguments.isEqual(to: arguments) }) else { return }
        let removed = request.state.withLock { $0.change(owner) { $0.memos.remove(key, id: found.id) } }
        if let removed, removed.entry >= 0 { request.send(.forgetMemo(removed.entry)) }
    }

    /// Forgets all values of a memo.
    func forgetAll(memo: Int) {
        let owner = owner(of: memo)
        let removed = request.state.withLock { $0.change(owner) { $0.memos.removeAll(of: memo) } }
        for entry in removed.entries { request.send(.forgetMemo(entry)) }
    }
}
