/// How a new store relates to the one that is current.
public struct RequestNesting: Sendable {
    enum Mode: Sendable {
        case independent
        case join
        case child(owned: Set<Int>)
    }

    let mode: Mode

    @usableFromInline var isIndependent: Bool {
        if case .independent = mode { true } else { false }
    }

    /// A root: nothing of a current store is seen, and nothing of it is shared.
    public static let independent = RequestNesting(mode: .independent)

    /// The current store itself: nothing is opened and nothing is closed.
    ///
    /// Where there is none, a root.
    public static let join = RequestNesting(mode: .join)

    /// A child of the current store: it reads values through, keeps what is set in it to itself, and acquires resources in
    /// its parent.
    ///
    /// It closes before its parent does. Where there is no current store, it is a root.
    public static let child = RequestNesting(mode: .child(owned: []))

    /// A child of the current store that acquires the given resources itself and releases them when it closes.
    ///
    /// What is acquired inside the factory of a resource of the parent is the parent's, whatever the child owns: name
    /// what is built on an owned resource too.
    ///
    /// A child that owns a savepoint, made on the request's transaction, is a part of the request that can be undone on its
    /// own. One that owns the connection and the transaction has a transaction that is independent. A child that owns the
    /// transaction only would have it on the request's connection: where that has a transaction already, acquiring throws
    /// ``RequestStoreError/Reason/claimed(by:for:)``.
    ///
    /// What an owned resource is built on in the parent is held for it: it cannot be released early, and a parent that
    /// settles waits for it as for a body of `use`, until the child's resource has been released.
    ///
    /// - Parameter keys: The resources and memos that the child has for itself.
    public static func child(owning keys: any RequestOwnable...) -> RequestNesting {
        RequestNesting(mode: .child(owned: Set(keys.map(\.ownableID.number))))
    }
}

/// A key that a child store can own: a resource or a memo.
public protocol RequestOwnable: Sendable {
    /// The key's identity.
    var ownableID: RequestOwnableID { get }
}

/// The identity of a key that a child store can own.
public struct RequestOwnableID: Hashable, Sendable {
    let number: Int
}

extension RequestResource: RequestOwnable {
    /// The key's identity.
    public var ownableID: RequestOwnableID { RequestOwnableID(number: info.id) }
}

extension RequestMemo: RequestOwnable {
    /// The key's identity.
    public var ownableID: RequestOwnableID { RequestOwnableID(number: id) }
}
