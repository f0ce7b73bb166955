import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Another Notes, which gets a copy of every note that is made here.
struct Mirror: Sendable {
    struct Refused: Error {
        let status: UInt
    }

    /// Where it is, without a slash at the end.
    let url: String

    /// Adds a copy of a note.
    ///
    /// Whose it is and which request made it is not said here: both travel with whatever the request sends.
    func add(_ note: Note) async throws {
        var request = HTTPClientRequest(url: "\(url)/api/notes")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(note)))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        guard response.status == .created else { throw Refused(status: response.status.code) }
    }
}
