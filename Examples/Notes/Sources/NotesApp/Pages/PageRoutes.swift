import HTTPTypes
import Hummingbird
import PerRequestHummingbird

/// The page and its form.
struct PageRoutes: Sendable {
    let page: NotesPage

    func add(to router: RequestStoreRouter<BasicRequestContext>) {
        router.get("/") { _, _ in page.response() }
        router.post("notes", use: create)
    }

    private func create(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let input = try await form(of: request, context)
        do {
            let draft = try NoteDraft(input)
            _ = try await NotesRepository.insert(draft)
        } catch let error as NoteDraft.Invalid {
            return page.response(.unprocessableContent, keeping: input, message: error.message)
        }
        return .redirect(to: "/", type: .normal)
    }

    private func form(of request: Request, _ context: BasicRequestContext) async throws -> NoteInput {
        let contentType = request.headers[.contentType].flatMap(MediaType.init(from:))
        guard let contentType, contentType.isType(.applicationUrlEncoded) else {
            throw HTTPError(.unsupportedMediaType, message: "Send the form as application/x-www-form-urlencoded.")
        }
        do {
            return try await URLEncodedFormDecoder().decode(NoteInput.self, from: request, context: context)
        } catch is URLEncodedFormError, is DecodingError {
            throw HTTPError(.badRequest, message: "The form could not be read.")
        }
    }
}
