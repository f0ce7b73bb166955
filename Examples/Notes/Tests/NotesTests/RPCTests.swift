import GRPCCore
import GRPCNIOTransportHTTP2Posix
import HTTPTypes
import SwiftProtobuf
import Testing

@testable import NotesApp

@Suite("gRPC, beside HTTP", .timeLimit(.minutes(1)))
struct RPCTests {
    private typealias Client = Notes_V1_Notes.Client<HTTP2ClientTransport.Posix>

    private func draft(_ title: String, _ body: String = "b") -> Notes_V1_CreateRequest {
        .with { ($0.title, $0.body) = (title, body) }
    }

    private func metadata(_ tenant: String) -> Metadata { ["x-tenant": .string(tenant)] }

    private func titles(_ rpc: Client, _ query: String = "", tenant: String = "public") async throws -> [String] {
        try await rpc.list(.with { $0.query = query }, metadata: metadata(tenant)) { response in
            try await response.messages.reduce(into: []) { $0.append($1.title) }
        }
    }

    @Test("The same notes over both, made, found, searched for and deleted by either")
    func bothProtocols() async throws {
        try await withNotesOverBoth { client, rpc in
            let note = try await rpc.create(draft("over gRPC", "words"))
            #expect(try await client.get("/api/notes/\(note.id)").json(as: NoteReply.self).title == "over gRPC")
            _ = try await client.post("/api/notes", json: ["title": "over HTTP", "body": "words"])
            #expect(try await titles(rpc) == ["over HTTP", "over gRPC"])
            _ = try await client.quietHealth()
            #expect(try await titles(rpc, "words") == ["over HTTP", "over gRPC"])
            _ = try await rpc.delete(.with { $0.id = note.id })
            #expect(try await titles(rpc) == ["over HTTP"])
            let error = await #expect(throws: RPCError.self) { _ = try await rpc.find(.with { $0.id = note.id }) }
            #expect(error?.code == .notFound)
            #expect(try await client.quietHealth().resources.held == 0)
        }
    }

    @Test("A tenant sees its own notes and no others; an invalid name is refused")
    func tenants() async throws {
        try await withNotesOverBoth { _, rpc in
            try await withThrowingTaskGroup { group in
                for number in 1...30 {
                    group.addTask {
                        let tenant = "tenant-\(number)"
                        _ = try await rpc.create(draft(tenant), metadata: metadata(tenant))
                        let found = try await titles(rpc, tenant: tenant)
                        #expect(found == [tenant])
                    }
                }
                try await group.waitForAll()
            }
            let error = await #expect(throws: RPCError.self) { _ = try await titles(rpc, tenant: "No!") }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test("Rule 15: notes that are sent in a stream are all made, or none where one of them is invalid")
    func createAll() async throws {
        try await withNotesOverBoth { client, rpc in
            let reply = try await rpc.createAll { writer in
                for number in 1...5 { try await writer.write(draft("\(number)")) }
            }
            #expect(reply.count == 5)
            let error = await #expect(throws: RPCError.self) {
                _ = try await rpc.createAll { writer in
                    for title in ["6", "7", " ", "8"] { try await writer.write(draft(title)) }
                }
            }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message == "The title must not be blank.")
            #expect(try await titles(rpc) == ["5", "4", "3", "2", "1"])
            #expect(try await client.quietHealth().resources.held == 0)
        }
    }

    @Test("More notes than are read at a time are streamed, newest first")
    func longList() async throws {
        try await withNotesOverBoth { _, rpc in
            _ = try await rpc.createAll { writer in
                for number in 1...205 { try await writer.write(draft("n\(number)")) }
            }
            #expect(try await titles(rpc) == (1...205).reversed().map { "n\($0)" })
        }
    }
}
