import GRPCCore
import SwiftProtobuf

/// The notes over gRPC: the same functions that serve HTTP.
struct NotesRPCService: Notes_V1_Notes.SimpleServiceProtocol {
    func create(request: Notes_V1_CreateRequest, context: ServerContext) async throws -> Notes_V1_Note {
        Notes_V1_Note(try await NotesRepository.insert(NoteDraft(request)))
    }

    func find(request: Notes_V1_FindRequest, context: ServerContext) async throws -> Notes_V1_Note {
        guard let note = try await NotesRepository.find(request.id) else { throw notFound }
        return Notes_V1_Note(note)
    }

    func delete(request: Notes_V1_DeleteRequest, context: ServerContext) async throws -> Notes_V1_DeleteReply {
        guard try await NotesRepository.delete(request.id) else { throw notFound }
        return Notes_V1_DeleteReply()
    }

    func list(
        request: Notes_V1_ListRequest,
        response: RPCWriter<Notes_V1_Note>,
        context: ServerContext
    ) async throws {
        guard request.query.isEmpty else {
            for note in try await NotesRepository.find(request.query) { try await response.write(Notes_V1_Note(note)) }
            return
        }
        var last = Int64.max
        while true {
            let notes = try await NotesRepository.newest(olderThan: last, limit: 100)
            guard let oldest = notes.last else { return }
            for note in notes { try await response.write(Notes_V1_Note(note)) }
            last = oldest.id
        }
    }

    func createAll(
        request: RPCAsyncSequence<Notes_V1_CreateRequest, any Error>,
        context: ServerContext
    ) async throws -> Notes_V1_CreateAllReply {
        var count: Int32 = 0
        for try await draft in request {
            _ = try await NotesRepository.insert(NoteDraft(draft))
            count += 1
        }
        return .with { $0.count = count }
    }

    private var notFound: RPCError { RPCError(code: .notFound, message: "There is no such note.") }
}

extension Notes_V1_Note {
    fileprivate init(_ note: Note) {
        self.init()
        id = note.id
        title = note.title
        body = note.body
    }
}

extension NoteDraft {
    fileprivate init(_ request: Notes_V1_CreateRequest) throws(Invalid) {
        try self.init(NoteInput(title: request.title, body: request.body))
    }
}
