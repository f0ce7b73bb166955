// What an inspector needs to know of a store, and nobody else.

extension RequestStore {
    /// The store's number, which no other store of the process has: unlike the store, it keeps no memory.
    package var identity: Int { number }

    /// Adds the tag of the key of each value that has been set in this very store, while it is open.
    ///
    /// - Parameters:
    ///   - limit: How many are added at most.
    ///   - tags: What they are added to.
    package func addTags(limit: Int, to tags: inout [Int32]) {
        slot.memory.addTags(of: number, limit: limit, to: &tags)
    }

    /// How the values are shown that have been set in this very store, by the tags of their keys: those of a key that the
    /// application has marked.
    ///
    /// Whatever shows a value is a user's code: this must not be called under a lock.
    package func shownValues(of tags: [Int32]) -> [Int32: String] { LoggedValues.shown(tags, in: core) }

    /// Whether any key is marked.
    package static var showsValues: Bool { LoggedValues.areMarked }

    /// What gives ``id`` when somebody wants to read it, without the store; `nil` where the text is there already.
    ///
    /// Of Hummingbird's own ids no text is made for requests that nobody looks at.
    package var laterID: (any CustomStringConvertible & Sendable)? {
        core.givenID == nil && core.parent == nil ? core.receiver?.laterID : nil
    }

    /// The names of the keys with these tags; a resource's is not among them.
    package static func names(of tags: Set<Int32>) -> [Int32: String] { Declarations.names(of: tags) }
}

extension RequestEvent.Acquisition.ID {
    /// The number of the request, and that of the acquisition in it.
    package var numbers: (request: Int, entry: Int) { (request, entry) }
}
