extension RequestEvent {
    /// Work that a request leaves for after its response.
    public struct Job: Sendable, Hashable, Identifiable {
        /// What tells jobs apart, in the whole process.
        public struct ID: Sendable, Hashable {
            let number: Int
        }

        /// How a job ended.
        @nonexhaustive
        public enum End: Sendable {
            /// It did its work.
            case done
            /// It threw.
            case failed(any Error)
            /// It was cancelled or given up, because the application shut down.
            case cut
            /// It does not run: its request was rolled back.
            case withdrawn
        }

        /// The same in all events of the job.
        public let id: ID

        /// The name that it was registered under.
        public let name: String
    }
}
