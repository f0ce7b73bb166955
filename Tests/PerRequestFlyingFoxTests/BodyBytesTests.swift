#if FlyingFox
import FlyingFox
import FlyingSocks
import Foundation
import PerRequest
import PerRequestFlyingFox
import PerRequestTestSupport
import Testing

/// What a body's bytes are is never guessed from them.
@Suite("A body comes out as its handler, or its client, made it", .timeLimit(.minutes(3)))
struct BodyBytesTests {
    /// Sends a client's upload back, as FlyingFox hands it over.
    private static let echo = ClosureHTTPHandler { request in
        HTTPResponse(statusCode: .ok, body: request.bodySequence)
    }

    /// What looks like a part of the encoding of a body, and what does not.
    private static let pieces: [[UInt8]] = [
        "-2\r\n", "5\r\nhello\r\n", "0\r\n\r\n", "00\r\n\r\n", "\r\n", "\r", "\n", "+3\r\nabc\r\n", "-0\r\n\r\n",
        "7fffffffffffffff\r\n", "ffffffffffffffffff\r\n", "5;a=b\r\nhello\r\n", "hello",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ].map { Array($0.utf8) }

    @Test("a chunked upload comes back byte for byte: each that looks like a chunk", arguments: pieces.indices)
    func upload(_ index: Int) async throws {
        let piece = Self.pieces[index]
        for chunks in [[piece], [piece, piece], [[0x78], piece], piece.map { [$0] }] {
            try await expectEcho(of: chunks)
        }
    }

    @Test("a chunked upload comes back byte for byte: any bytes, in any chunks", arguments: 0..<20 as Range<UInt64>)
    func anyUpload(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<5 {
            let chunks = (0..<Int.random(in: 0...8, using: &generator)).map { _ -> [UInt8] in
                if Bool.random(using: &generator) { return Self.pieces.randomElement(using: &generator)! }
                // FlyingFox's buffer has 4,096 bytes.
                let longest = [1, 16, 4_100, 20_000].randomElement(using: &generator)!
                let count = Int.random(in: 1...longest, using: &generator)
                return (0..<count).map { _ in .random(in: 0...255, using: &generator) }
            }
            try await expectEcho(of: chunks)
        }
    }

    /// Sends the chunks, and expects their bytes back, after the head that FlyingFox sends without the adapter.
    private func expectEcho(of chunks: [[UInt8]], sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        let encoded = chunks.flatMap { Array("\(String($0.count, radix: 16))\r\n".utf8) + $0 + Array("\r\n".utf8) }
        let upload = Array(head.utf8) + encoded + Array("0\r\n\r\n".utf8)
        let watch = Watch()
        let ours = try await answer(to: upload, from: RequestStoreHandler(Self.echo, observers: [watch]))
        let theirs = try await answer(to: upload, from: Self.echo)
        #expect(ours.head == theirs.head, sourceLocation: sourceLocation)
        #expect(decoded(ours.body) == chunks.flatMap(\.self), sourceLocation: sourceLocation)
        // FlyingFox names the encoding in the head, and sends the body without it.
        #expect(theirs.body == chunks.flatMap(\.self), sourceLocation: sourceLocation)
        #expect(await watch.nextOutcome()?.ending.name == "completed", sourceLocation: sourceLocation)
        #expect(watch.counts == .init(opened: 1, closed: 1), sourceLocation: sourceLocation)
    }

    @Test("an upload with a length comes back as without the adapter", arguments: [0, 1, 4_096, 4_097, 2_200_000])
    func uploadWithLength(count: Int) async throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: \(count)\r\n\r\n"
        let upload = Array(head.utf8) + bytes
        let watch = Watch()
        let ours = try await answer(to: upload, from: RequestStoreHandler(Self.echo, observers: [watch]))
        let theirs = try await answer(to: upload, from: Self.echo)
        #expect(ours == theirs)
        #expect(ours.body == bytes)
        #expect(await watch.nextOutcome()?.ending.name == "completed")
        #expect(watch.counts == .init(opened: 1, closed: 1))
    }

    // MARK: - Bodies of a handler

    @Test(
        "a handler's own sequence comes out as without the adapter, its store current in every pull and closed once",
        arguments: ["GET", "HEAD"],
        [true, false]
    )
    func ownSequence(method: String, hasLength: Bool) async throws {
        let parts = Self.pieces + [Array(repeating: 0x78, count: 50_000), [0x79]]
        let length = hasLength ? parts.map(\.count).reduce(0, +) : nil
        let asked = Box<[Int]>([])
        let handler = ClosureHTTPHandler { _ in
            HTTPResponse(Buffers(parts: parts, asked: asked), length: length)
        }
        let watch = Watch()
        let request = Array("\(method) / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        let theirs = try await answer(to: request, from: handler)
        let askedByThem = asked.value
        asked.update { $0 = [] }
        let own = ClosureHTTPHandler { _ in
            HTTPResponse(Buffers(parts: parts, asked: asked, inStore: true), length: length)
        }
        let ours = try await answer(to: request, from: RequestStoreHandler(own, observers: [watch]))
        #expect(ours == theirs)
        #expect(asked.value == askedByThem, "it is asked for as many bytes as without the adapter")
        #expect(await watch.nextOutcome()?.ending.name == "completed")
        #expect(watch.counts == .init(opened: 1, closed: 1))
    }

    @Test("a buffer with nothing in it does not end a body", arguments: [true, false])
    func emptyBuffers(hasLength: Bool) async throws {
        let handler = ClosureHTTPHandler { _ in
            let parts = ["", "a", "", "", "b", ""].map { Array($0.utf8) }
            return HTTPResponse(Buffers(parts: parts, inStore: true), length: hasLength ? 2 : nil)
        }
        let request = Array("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        let body = try await answer(to: request, from: RequestStoreHandler(handler)).body
        #expect((hasLength ? body : decoded(body)) == Array("ab".utf8))
    }

    @Test("Rule 3: the store is current in the pull of a sequence of no bytes, which looks like an empty body")
    func noBytes() async throws {
        let watch = Watch()
        let handler = ClosureHTTPHandler { _ in HTTPResponse(Buffers(parts: [], inStore: true), length: 0) }
        let request = Array("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        let ours = try await answer(to: request, from: RequestStoreHandler(handler, observers: [watch]))
        #expect(ours.head.contains("Content-Length: 0"))
        #expect(ours.body.isEmpty)
        #expect(watch.counts == .init(opened: 1, closed: 1))
    }

    @Test("a body that throws after some bytes: as without the adapter, and failed", arguments: [true, false])
    func throwing(hasLength: Bool) async throws {
        let parts = [Array("part;".utf8)]
        let handler = ClosureHTTPHandler { _ in
            HTTPResponse(Buffers(parts: parts, end: TestError("body")), length: hasLength ? 100 : nil)
        }
        let watch = Watch()
        let request = Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        let ours = try await answer(to: request, from: RequestStoreHandler(handler, observers: [watch]))
        let theirs = try await answer(to: request, from: handler)
        #expect(ours == theirs)
        #expect(ours.body == Array((hasLength ? "part;" : "05\r\npart;\r\n").utf8))
        guard case .failed(let error) = await watch.nextOutcome()?.ending else { Issue.record(); return }
        #expect(error as? TestError == TestError("body"))
        #expect(watch.counts == .init(opened: 1, closed: 1))
    }

    @Test("two adapters, one in the other, come out as one")
    func nested() async throws {
        let handler = RequestStoreHandler(
            RequestStoreHandler(
                ClosureHTTPHandler { _ in HTTPResponse(Buffers(parts: Self.pieces, inStore: true), length: nil) }
            )
        )
        let request = Array("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        let body = try await answer(to: request, from: handler).body
        #expect(decoded(body) == Self.pieces.flatMap(\.self))
    }

    // MARK: - On the wire

    private struct Answer: Equatable {
        let head: String
        let body: [UInt8]
    }

    /// Everything that a server answers to a connection's bytes.
    private func answer(to bytes: [UInt8], from handler: any HTTPHandler) async throws -> Answer {
        let received = Box<[UInt8]>([])
        try await withServer(handler) { port in
            let client = try await RawClient.connect(to: port)
            try await client.send(bytes: bytes)
            let answer = try await client.restOfBytes()
            received.update { $0 = answer }
        }
        let answer = received.value
        let end = try #require(answer.firstRange(of: Array("\r\n\r\n".utf8)))
        return Answer(
            head: String(decoding: answer[..<end.upperBound], as: UTF8.self),
            body: Array(answer[end.upperBound...])
        )
    }

    /// What is in a body in chunks, if all of it is one.
    private func decoded(_ body: [UInt8]) -> [UInt8]? {
        let lineEnd = Array("\r\n".utf8)
        var (rest, bytes) = (body[...], [UInt8]())
        while let end = rest.firstRange(of: lineEnd) {
            let line = rest[..<end.lowerBound]
            guard line.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
                let size = Int(String(decoding: line, as: UTF8.self), radix: 16),
                rest.distance(from: end.upperBound, to: rest.endIndex) >= size + 2
            else { return nil }
            let chunk = rest[end.upperBound...].prefix(size)
            rest = rest[chunk.endIndex...]
            guard rest.prefix(2).elementsEqual(lineEnd) else { return nil }
            rest = rest.dropFirst(2)
            if size == 0 { return rest.isEmpty ? bytes : nil }
            bytes += chunk
        }
        return nil
    }
}

/// A handler's own body: buffers that do not mind how much was asked for.
private struct Buffers: AsyncBufferedSequence {
    typealias Element = UInt8

    let parts: [[UInt8]]
    var end: TestError?
    var asked = Box<[Int]>([])
    var inStore = false

    func makeAsyncIterator() -> Iterator { Iterator(body: self) }

    struct Iterator: AsyncBufferedIteratorProtocol {
        let body: Buffers
        var number = 0

        mutating func next() async throws -> UInt8? { throw TestError("nobody asks for single bytes") }

        mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
            if body.inStore { #expect(RequestStore.current?.isClosed == false) }
            body.asked.update { $0.append(count) }
            defer { number += 1 }
            if number < body.parts.count { return body.parts[number] }
            if let error = body.end { throw error }
            return nil
        }
    }
}

extension HTTPResponse {
    fileprivate init(_ buffers: Buffers, length: Int?) {
        let body =
            length.map { HTTPBodySequence(from: buffers, count: $0, suggestedBufferSize: 1_000) }
            ?? HTTPBodySequence(from: buffers, suggestedBufferSize: 1_000)
        self.init(statusCode: .ok, body: body)
    }
}
#endif
