import Synchronization

extension StoreCore {
    /// The request's id; a child's is which of its children it is, too.
    ///
    /// Made into text when somebody asks for it.
    var id: String {
        if let givenID { return givenID }
        guard let child = self as? ChildCore else { return receiver?.requestID ?? String(identity) }
        return "\(child.request.id)/\(child.ordinal)"
    }

    /// Whether it is a child's, and its request has not closed.
    var isChildOfOpenRequest: Bool {
        self is ChildCore && request.slot.memory.core(of: request.identity) != nil
    }
}

extension RequestStore {
    /// Whether the store has this number, which no other store of the process has.
    package func isNumbered(_ number: Int) -> Bool { self.number == number }
}

/// Finds the id of a request in a task that has outlived it, where only an adapter still knows it.
package enum PastRequests {
    private static let lookUp = Lock<(@Sendable (Int) -> String?)?>(nil)

    /// Sets how the id is found, by the number of the request's store.
    package static func setLookUp(_ body: @escaping @Sendable (Int) -> String?) { lookUp.withLock { $0 = body } }

    static func id(of store: Int) -> String? { lookUp.withLock { $0 }?(store) }
}
