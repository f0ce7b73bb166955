#if FlyingFox
import FlyingFox
import FlyingSocks
import Foundation
import PerRequestAdapters

/// Where the bytes of a streamed body come from, before FlyingFox encodes them.
///
/// A body without a length is either one that its handler made, whose pieces come out of it encoded in chunks, or a
/// client's upload, whose pieces come decoded. Nothing in the pieces tells which: any bytes may be uploaded. The types
/// that the body is made of do, and where it is encoded, they have the bytes before that.
enum BodySource {
    /// The body itself, whose pieces are the bytes as they are.
    case pieces(of: HTTPBodySequence)
    /// What the body encodes in chunks, and the size of the buffers that it asks for.
    case bytes(any AsyncBufferedSequence<UInt8>, bufferSize: Int)

    /// Looks for the source of a body.
    ///
    /// There is none where all of the body is there, so that nothing of the request runs while it is written, and where
    /// what a body without a length consists of cannot be seen: then it cannot be wrapped without a risk to its bytes.
    init?(of body: HTTPBodySequence) {
        let storage = Mirror(reflecting: body).descendant("storage").map { Mirror(reflecting: $0) }
        let sequence = storage?.descendant("sequence")
        let type = sequence.map { String(reflecting: Swift.type(of: $0)) } ?? ""
        if body.count != nil {
            guard !type.hasPrefix("FlyingSocks.AsyncBufferedCollection<") else { return nil }
            self = .pieces(of: body)
        } else if type.hasPrefix("FlyingFox.HTTPChunkedTransferDecoder<") {
            self = .pieces(of: body)
        } else if type.hasPrefix("FlyingFox.HTTPChunkedTransferEncoder<"),
            let sequence,
            let bytes = Mirror(reflecting: sequence).descendant("bytes") as? any AsyncBufferedSequence<UInt8>,
            let size = storage?.descendant("bufferSize") as? Int
        {
            self = .bytes(bytes, bufferSize: size)
        } else {
            return nil
        }
    }

    /// A body of the same bytes, every pull of which runs in a scope.
    func scoped(by owner: RequestScopeOwner) -> HTTPBodySequence {
        switch self {
        case .bytes(let bytes, let bufferSize):
            return chunked(bytes, by: owner, bufferSize: bufferSize)
        case .pieces(let body):
            let bytes = ScopedBytes(base: Pieces(body: body), owner: owner)
            guard let count = body.count else { return HTTPBodySequence(from: bytes) }
            return HTTPBodySequence(from: bytes, count: count)
        }
    }

    private func chunked(
        _ bytes: some AsyncBufferedSequence<UInt8>,
        by owner: RequestScopeOwner,
        bufferSize: Int
    ) -> HTTPBodySequence {
        HTTPBodySequence(from: ScopedBytes(base: bytes, owner: owner), suggestedBufferSize: bufferSize)
    }
}

/// The pieces of a body, which has its own size of buffer.
private struct Pieces: AsyncBufferedSequence {
    typealias Element = UInt8

    let body: HTTPBodySequence

    func makeAsyncIterator() -> Iterator { Iterator(base: body.makeAsyncIterator()) }

    struct Iterator: AsyncBufferedIteratorProtocol {
        private var base: HTTPBodySequence.Iterator
        private var rest = Data()

        init(base: HTTPBodySequence.Iterator) { self.base = base }

        mutating func next() async throws -> UInt8? {
            while rest.isEmpty {
                guard let piece = try await nextBuffer(suggested: 0) else { return nil }
                rest = piece
            }
            return rest.popFirst()
        }

        mutating func nextBuffer(suggested count: Int) async throws -> Data? {
            // It stays with this call, which nothing else runs beside.
            nonisolated(unsafe) var iterator = base
            defer { base = iterator }
            return try await iterator.next()
        }
    }
}
#endif
