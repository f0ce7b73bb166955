/// What the handler of a check returns: the server makes a response of its framework of it.
public struct ConformanceReply: Sendable {
    /// The status of a response, in HTTP and in gRPC.
    public enum Status: Hashable, Sendable {
        /// 200; OK.
        case ok
        /// 404; `NOT_FOUND`.
        case notFound
        /// 500; `INTERNAL`.
        case failed

        /// HTTP's code.
        public var httpCode: Int {
            switch self {
            case .ok: 200
            case .notFound: 404
            case .failed: 500
            }
        }

        /// gRPC's code.
        public var grpcCode: Int {
            switch self {
            case .ok: 0
            case .notFound: 5
            case .failed: 13
            }
        }
    }

    /// The body of a response.
    public enum Body: Sendable {
        /// None.
        case empty
        /// It is there when the handler returns.
        case buffered(String)
        /// It is made while it is written: the closure gets the part's number, from 0, and returns `nil` at the end.
        ///
        /// It is called by one task at a time, in order.
        case streamed(@Sendable (_ number: Int) async throws -> String?)
    }

    /// The status.
    public let status: Status

    /// The body.
    public let body: Body

    init(_ status: Status = .ok, _ body: Body = .empty) {
        self.status = status
        self.body = body
    }

    /// The body, part by part, for a framework that lets a handler write it.
    ///
    /// ```swift
    /// for try await part in reply.parts { try await writer.write(part) }
    /// ```
    public var parts: Parts { Parts(body: body) }

    /// The parts of a body, made as they are asked for.
    public struct Parts: AsyncSequence, Sendable {
        let body: Body

        /// Begins with the first part.
        public func makeAsyncIterator() -> Iterator { Iterator(body: body) }

        /// Makes the parts, one after the other.
        public struct Iterator: AsyncIteratorProtocol {
            let body: Body
            var number = 0

            /// The next part, or `nil` at the end.
            ///
            /// - Throws: What making it throws.
            public mutating func next() async throws -> String? {
                defer { number += 1 }
                return switch body {
                case .empty: nil
                case .buffered(let text): number == 0 ? text : nil
                case .streamed(let part): try await part(number)
                }
            }
        }
    }
}
