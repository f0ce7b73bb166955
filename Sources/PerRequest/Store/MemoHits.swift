import Synchronization

/// The values of one memo that were asked for again, where they are found without asking the lifecycle.
///
/// It refers to nothing that the store's table does not refer to, and forgets a value when the table does: nothing that a user
/// made is let go in here.
@usableFromInline
final class MemoHits: Sendable {
    @usableFromInline
    struct Hit: Sendable {
        @usableFromInline let arguments: MemoArguments
        @usableFromInline let box: AnyBox
    }

    /// What is at a place is another's when two hashes meet there: the table knows both.
    private let hits = Lock<[Hit?]>(Array(repeating: nil, count: 8))

    private static var most: Int { 4_096 }

    /// What was kept for arguments of a hash.
    @usableFromInline
    func find(_ hash: Int) -> Hit? {
        hits.withLock { hits in
            guard let hit = hits[hash & (hits.count - 1)], hit.arguments.hash == hash else { return nil }
            return hit
        }
    }

    func keep(_ arguments: MemoArguments, _ box: AnyBox) {
        hits.withLock { hits in
            if let other = hits[arguments.hash & (hits.count - 1)], other.arguments.hash != arguments.hash,
                hits.count < Self.most
            {
                let old = hits
                hits = Array(repeating: nil, count: old.count * 4)
                for case let hit? in old { hits[hit.arguments.hash & (hits.count - 1)] = hit }
            }
            hits[arguments.hash & (hits.count - 1)] = Hit(arguments: arguments, box: box)
        }
    }

    func forget(_ hash: Int) { hits.withLock { $0[hash & ($0.count - 1)] = nil } }
}
