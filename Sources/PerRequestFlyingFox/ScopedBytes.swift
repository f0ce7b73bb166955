#if FlyingFox
import FlyingSocks
import PerRequestAdapters

/// The bytes of a body, made with the store of its request current.
struct ScopedBytes<Base: AsyncBufferedSequence<UInt8>>: AsyncBufferedSequence {
    typealias Element = UInt8

    let base: Base
    let owner: RequestScopeOwner

    func makeAsyncIterator() -> Iterator { Iterator(base: base.makeAsyncIterator(), owner: owner) }

    struct Iterator: AsyncBufferedIteratorProtocol {
        private var base: Base.AsyncIterator
        private let owner: RequestScopeOwner

        init(base: Base.AsyncIterator, owner: RequestScopeOwner) {
            self.base = base
            self.owner = owner
        }

        mutating func next() async throws -> UInt8? {
            // It stays with this call, which nothing else runs beside.
            nonisolated(unsafe) var iterator = base
            defer { base = iterator }
            return try await owner.next { try await iterator.next() }
        }

        mutating func nextBuffer(suggested count: Int) async throws -> Base.AsyncIterator.Buffer? {
            nonisolated(unsafe) var iterator = base
            defer { base = iterator }
            return try await owner.next {
                // FlyingFox would encode a buffer with nothing in it as the chunk that ends a body.
                while let buffer = try await iterator.nextBuffer(suggested: count) {
                    if !buffer.isEmpty { return buffer }
                }
                return nil
            }
        }
    }
}
#endif
