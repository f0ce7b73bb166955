#if Tracing
extension RequestBaggage {
    /// How much travels with a request, both ways: what W3C baggage asks every process to pass on, by default.
    public struct Limits: Sendable, Hashable {
        /// How many bytes the header has at most.
        public var bytes: Int

        /// How many values there are at most.
        public var members: Int

        /// Makes limits.
        ///
        /// - Parameters:
        ///   - bytes: How many bytes the header has at most.
        ///   - members: How many values there are at most.
        public init(bytes: Int = 8_192, members: Int = 64) {
            self.bytes = bytes
            self.members = members
        }
    }
}
#endif
