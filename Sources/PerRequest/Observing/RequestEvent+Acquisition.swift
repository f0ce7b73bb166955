extension RequestEvent {
    /// One acquisition of a resource, or one computation of a memo's value.
    public struct Acquisition: Sendable, Hashable, Identifiable {
        /// What tells acquisitions apart, in the whole process.
        public struct ID: Sendable, Hashable {
            let request: Int
            let entry: Int
        }

        /// What there is of it: made once, so that a copy costs little.
        private final class Details: Sendable {
            let id: ID
            let key: String
            let declaration: SourcePosition?
            let askedAt: SourcePosition
            let inside: ID?

            init(_ id: ID, _ key: String, _ declaration: SourcePosition?, _ askedAt: SourcePosition, _ inside: ID?) {
                self.id = id
                self.key = key
                self.declaration = declaration
                self.askedAt = askedAt
                self.inside = inside
            }
        }

        private let details: Details

        init(id: ID, key: String, declaration: SourcePosition?, askedAt: SourcePosition, inside: ID?) {
            details = Details(id, key, declaration, askedAt, inside)
        }

        /// The same in all events of the acquisition.
        public var id: ID { details.id }

        /// The name of the resource or the memo.
        public var key: String { details.key }

        /// Where the key is declared.
        public var declaration: SourcePosition? { details.declaration }

        /// Where the caller asked for it that it was started for; of a memo, whose calls have no place, where that is declared.
        public var askedAt: SourcePosition { details.askedAt }

        /// The acquisition whose factory, function or release asked for it.
        public var inside: ID? { details.inside }

        /// Whether both are the same acquisition.
        public static func == (lhs: Acquisition, rhs: Acquisition) -> Bool { lhs.id == rhs.id }

        /// Hashes what tells acquisitions apart.
        public func hash(into hasher: inout Hasher) { hasher.combine(id) }
    }

    /// A caller that waits for an acquisition, or uses its value in a body.
    public struct Call: Sendable, Hashable, Identifiable {
        /// What tells calls apart, in the whole process.
        public struct ID: Sendable, Hashable {
            let request: Int
            let call: Int
        }

        /// What there is of it: made once, so that a copy costs little.
        private final class Details: Sendable {
            let id: ID
            let acquisition: Acquisition
            let askedAt: SourcePosition
            let inside: Acquisition.ID?

            init(_ id: ID, _ acquisition: Acquisition, _ askedAt: SourcePosition, _ inside: Acquisition.ID?) {
                self.id = id
                self.acquisition = acquisition
                self.askedAt = askedAt
                self.inside = inside
            }
        }

        private let details: Details

        init(id: ID, acquisition: Acquisition, askedAt: SourcePosition, inside: Acquisition.ID?) {
            details = Details(id, acquisition, askedAt, inside)
        }

        /// The same in all events of the call.
        public var id: ID { details.id }

        /// What it waits for or uses.
        public var acquisition: Acquisition { details.acquisition }

        /// Where the caller is.
        public var askedAt: SourcePosition { details.askedAt }

        /// The acquisition whose factory, function or release is the caller.
        public var inside: Acquisition.ID? { details.inside }

        /// Whether both are the same call.
        public static func == (lhs: Call, rhs: Call) -> Bool { lhs.id == rhs.id }

        /// Hashes what tells calls apart.
        public func hash(into hasher: inout Hasher) { hasher.combine(id) }
    }
}
