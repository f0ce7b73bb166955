import NIOCore
import NIOHTTPTypes

/// Reads a response's body piece by piece.
struct BodyReader {
    var parts: NIOAsyncChannelInboundStream<HTTPResponsePart>.AsyncIterator

    struct Broken: Error {}

    /// The next piece, or nil at the end.
    ///
    /// Throws if the connection ends first.
    mutating func next() async throws -> String? {
        switch try await parts.next(isolation: #isolation) {
        case .body(let buffer): return String(buffer: buffer)
        case .end: return nil
        case .head, nil: throw Broken()
        }
    }

    /// Everything up to the piece in which `text` is complete.
    mutating func read(until text: String) async throws -> String {
        var body = ""
        while !body.contains(text) {
            guard let piece = try await next() else { throw Broken() }
            body += piece
        }
        return body
    }

    mutating func rest() async throws -> String {
        var body = ""
        while let piece = try await next() { body += piece }
        return body
    }
}
