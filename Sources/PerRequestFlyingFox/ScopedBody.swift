#if FlyingFox
import FlyingFox
import FlyingSocks
import Foundation
import PerRequest

extension HTTPBodySequence {
    /// Whether all of the body is there, so that nothing of the request runs while it is written.
    ///
    /// FlyingFox does not say so publicly. What is not recognised counts as streamed, which is correct for both.
    var isBuffered: Bool {
        guard let count else { return false }
        guard count > 0 else { return true }
        let storage = Mirror(reflecting: self).descendant("storage")
        let sequence = storage.flatMap { Mirror(reflecting: $0).descendant("sequence") }
        return sequence.map { "\(type(of: $0))".hasPrefix("AsyncBufferedCollection<") } ?? false
    }

    /// The same body, every pull of which runs in a scope.
    func scoped(by owner: ScopeOwner) -> HTTPBodySequence {
        // The body has its own size of buffer, and comes in pieces of it.
        let size = 1 << 20
        let bytes = ScopedBytes(body: self, owner: owner)
        if let count { return HTTPBodySequence(from: bytes, count: count, suggestedBufferSize: size) }
        return HTTPBodySequence(from: bytes, suggestedBufferSize: size)
    }
}

/// The bytes of a body, made with the store of its request current.
struct ScopedBytes: AsyncBufferedSequence, Sendable {
    typealias Element = UInt8

    let body: HTTPBodySequence
    let owner: ScopeOwner

    func makeAsyncIterator() -> Iterator {
        Iterator(base: body.makeAsyncIterator(), isChunked: body.count == nil, owner: owner)
    }

    struct Iterator: AsyncBufferedIteratorProtocol {
        private var base: HTTPBodySequence.Iterator
        private let isChunked: Bool
        private let owner: ScopeOwner
        private var rest = Data()

        init(base: HTTPBodySequence.Iterator, isChunked: Bool, owner: ScopeOwner) {
            self.base = base
            self.isChunked = isChunked
            self.owner = owner
        }

        mutating func next() async throws -> UInt8? {
            if rest.isEmpty { rest = try await nextBuffer(suggested: 4_096) ?? Data() }
            return rest.popFirst()
        }

        mutating func nextBuffer(suggested count: Int) async throws -> Data? {
            // It stays with this call, which nothing else runs beside.
            nonisolated(unsafe) var iterator = base
            defer { base = iterator }
            return try await owner.next {
                guard let data = try await iterator.next() else { return nil }
                // A body without a length comes encoded, and is encoded again.
                return isChunked ? data.payloadOfChunk : data
            }
        }
    }
}

extension Data {
    /// What is in a chunk of HTTP's chunked encoding; `nil` for the last one, which is empty.
    ///
    /// Data that is no chunk is returned as it is.
    var payloadOfChunk: Data? {
        guard let end = range(of: Data("\r\n".utf8)),
            let size = Int(String(decoding: self[..<end.lowerBound], as: UTF8.self), radix: 16),
            count == (end.upperBound - startIndex) + size + 2
        else { return self }
        return size == 0 ? nil : self[end.upperBound..<(end.upperBound + size)]
    }
}
#endif
