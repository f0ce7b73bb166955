extension RequestEvent {
    /// A time limit that has passed.
    public struct Limit: Sendable {
        /// What was limited.
        @nonexhaustive
        public enum Subject: Sendable, Hashable {
            /// An acquisition, which is cancelled now.
            case acquisition
            /// An acquisition that was cancelled, and goes on by itself.
            case cancellation
            /// The wait of a release for those who use the value.
            case use
            /// A release, which is cancelled now.
            case release
            /// The time that a resource is held.
            case hold
            /// All releases of a point, which go on by themselves.
            case point(ReleasePoint)
        }

        /// What was limited.
        public let subject: Subject

        /// The acquisition, unless it is the limit of a point.
        public let acquisition: Acquisition?

        /// The limit.
        public let duration: Duration
    }
}
