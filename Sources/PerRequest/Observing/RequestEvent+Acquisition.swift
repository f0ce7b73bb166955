extension RequestEvent {
    /// One acquisition of a resource, or one computation of a memo's value.
    public struct Acquisition: Sendable, Hashable, Identifiable {
        /// What tells acquisitions apart, in the whole process.
        public struct ID: Sendable, Hashable {
            let request: Int
            let entry: Int
        }

        /// The same in all events of the acquisition.
        public let id: ID

        /// The name of the resource or the memo.
        public let key: String

        /// Where the key is declared.
        public let declaration: SourcePosition?

        /// Where the caller asked for it that it was started for; of a memo, whose calls have no place, where that is declared.
        public let askedAt: SourcePosition

        /// The acquisition whose factory, function or release asked for it.
        public let inside: ID?
    }

    /// A caller that waits for an acquisition, or uses its value in a body.
    public struct Call: Sendable, Hashable, Identifiable {
        /// What tells calls apart, in the whole process.
        public struct ID: Sendable, Hashable {
            let request: Int
            let call: Int
        }

        /// The same in all events of the call.
        public let id: ID

        /// What it waits for or uses.
        public let acquisition: Acquisition

        /// Where the caller is.
        public let askedAt: SourcePosition

        /// The acquisition whose factory, function or release is the caller.
        public let inside: Acquisition.ID?
    }
}
