import HTTPTypes
import Hummingbird
import NIOPosix
import PerRequestHummingbird

/// The notes as JSON.
struct NotesAPI: Sendable {
    func add(to router: RequestStoreRouter<BasicRequestContext>) {
        router.group("api/notes")
            .get(use: list)
            .post(use: create)
            .post("import", use: importAll)
            .get(":id", use: find)
            .delete(":id", use: delete)
        router.get("callback/notes", use: listByCallbacks)
    }

    /// All notes, or those in which all words of `q` are.
    private func list(_ request: Request, _ context: BasicRequestContext) async throws -> [Note] {
        guard let query = request.uri.queryParameters["q"] else { return try await NotesRepository.all() }
        return try await NotesRepository.find(SearchWords(query).text)
    }

    private func create(_ request: Request, _ context: BasicRequestContext) async throws -> EditedResponse<Note> {
        let failure = try ForcedFailure(request)
        let draft = try NoteDraft(await request.decode(as: NoteInput.self, context: context))
        let note = try await NotesRepository.insert(draft)
        try await failure?.happen()
        return EditedResponse(status: .created, headers: [.location: "/api/notes/\(note.id)"], response: note)
    }

    private func importAll(_ request: Request, _ context: BasicRequestContext) async throws -> NoteImport {
        let failure = try ForcedFailure(request)
        return try await NoteImport(request.decode(as: [NoteInput].self, context: context), failure: failure)
    }

    private func find(_ request: Request, _ context: BasicRequestContext) async throws -> Note {
        guard let note = try await NotesRepository.find(id(in: context)) else { throw notFound }
        return note
    }

    private func delete(_ request: Request, _ context: BasicRequestContext) async throws -> HTTPResponse.Status {
        guard try await NotesRepository.delete(id(in: context)) else { throw notFound }
        return .noContent
    }

    private func listByCallbacks(_ request: Request, _ context: BasicRequestContext) async throws -> [Note] {
        try await NotesRepository.all(on: MultiThreadedEventLoopGroup.singleton.any()).get()
    }

    private func id(in context: BasicRequestContext) throws(HTTPError) -> Int64 {
        guard let id = context.parameters.get("id", as: Int64.self), id > 0 else {
            throw HTTPError(.badRequest, message: "A note's id is a positive number.")
        }
        return id
    }

    private var notFound: HTTPError { HTTPError(.notFound, message: "There is no such note.") }
}
