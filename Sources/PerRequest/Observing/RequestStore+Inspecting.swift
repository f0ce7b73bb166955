// What an inspector needs to know of a store, and nobody else.

extension RequestStore {
    /// The store's number, which no other store of the process has: unlike the store, it keeps no memory.
    package var identity: Int { number }

    /// The values that have been set in this very store, while it is open: the tag of each key, and how it is shown, if
    /// the application has marked it.
    ///
    /// Whatever shows a value is a user's code: this must not be called under a lock.
    ///
    /// - Parameter limit: How many there are at most.
    package func inspectedValues(limit: Int) -> [(tag: Int32, shown: String?)] {
        var values = slot.memory.unshownValues(of: number, limit: limit)
        if !values.isEmpty { LoggedValues.show(&values, in: core) }
        return values
    }

    /// What gives ``id`` when somebody wants to read it, without the store; `nil` where the text is there already.
    ///
    /// Of Hummingbird's own ids no text is made for requests that nobody looks at.
    package var laterID: (any CustomStringConvertible & Sendable)? {
        core.givenID == nil && core.parent == nil ? core.receiver?.laterID : nil
    }

    /// What an observer keeps with the store, to find it again at once with the store's next event.
    ///
    /// It may be set only where `opened` is told, and is let go when the store serves another request. It must not keep the store
    /// once that has closed.
    package var attachment: (any AnyObject & Sendable)? {
        get { core.attachment }
        nonmutating set { core.attachment = newValue }
    }

    /// The names of the keys with these tags; a resource's is not among them.
    package static func names(of tags: Set<Int32>) -> [Int32: String] { Declarations.names(of: tags) }
}

extension RequestEvent.Acquisition.ID {
    /// The number of the request, and that of the acquisition in it.
    package var numbers: (request: Int, entry: Int) { (request, entry) }
}
