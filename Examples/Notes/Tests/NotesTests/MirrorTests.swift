import Foundation
import Testing

@Suite("Two processes, one of which is the other's mirror", .timeLimit(.minutes(1)))
struct MirrorTests {
    private let note = ["title": "Hello", "body": "world"]

    private func titles(_ client: NotesClient, _ path: String, tenant: String? = nil) async throws -> [String] {
        try await client.get(path, tenant: tenant).json(as: [NoteReply].self).map(\.title)
    }

    @Test("The second sees the tenant and the request of the first, and so do the jobs of both")
    func twoProcesses() async throws {
        let second = try NotesProcess(["PORT": "0"])
        defer { second.process.terminate() }
        let mirror = NotesClient(port: try #require(second.port()))
        let first = try NotesProcess(["PORT": "0", "NOTES_MIRROR": "http://127.0.0.1:\(mirror.port)"])
        defer { first.process.terminate() }
        let client = NotesClient(port: try #require(first.port()))

        let made = try await client.post("/api/notes", tenant: "acme", json: note)
        #expect(made.status == 201)
        // The job of the first, which waits for the second's answer, and then that of the second.
        _ = try await client.quietHealth()
        _ = try await mirror.quietHealth()
        #expect(try await titles(mirror, "/api/notes", tenant: "acme") == ["Hello"])
        #expect(try await titles(mirror, "/api/notes?q=world", tenant: "acme") == ["Hello"])
        #expect(try await titles(mirror, "/api/notes") == [])

        second.process.terminate()
        let log = second.end().errors.split(separator: "\n")
        let caller = "request.caller=\(try #require(made.requestID))/mirror the note"
        for message in ["A note was made", "A note was indexed"] {
            let line = try #require(log.first { $0.hasSuffix(message) })
            #expect(line.contains(caller) && line.contains("tenant=acme"))
        }
        first.process.terminate()
        #expect(!first.end().errors.contains("request.caller"))
    }
}
