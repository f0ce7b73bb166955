import HTTPTypes
import Hummingbird
import NIOCore
import PerRequest
import PerRequestHummingbird

/// The page, its stylesheet and its form.
struct PageRoutes: Sendable {
    /// What the page's address asks for.
    private struct Query: Decodable {
        let q: String?
    }

    let page: NotesPage

    func add(to router: RequestStoreRouter<BasicRequestContext>) {
        router.get("/", use: show)
        router.get("notes.css") { _, _ in
            Response(status: .ok, headers: .style, body: ResponseBody(byteBuffer: Self.style))
        }
        router.post("notes", use: create)
    }

    private static let style = ByteBuffer(bytes: PackageResources.notes_css)

    private func show(_ request: Request, _ context: BasicRequestContext) throws -> Response {
        // A browser sends what it searches for also where nothing was typed.
        let text = try query(of: request).q ?? ""
        return try page.response(finding: text.contains { !$0.isWhitespace } ? SearchWords(text) : nil)
    }

    private func create(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let input = try await form(of: request, context)
        do {
            let draft = try NoteDraft(input)
            _ = try await NotesRepository.insert(draft)
        } catch let error as NoteDraft.Invalid {
            return page.response(.unprocessableContent, keeping: input, message: error.message)
        }
        let tenant = Current.tenant.value
        return .redirect(to: tenant.isPublic ? "/" : "/?tenant=\(tenant.name)", type: .normal)
    }

    private func query(of request: Request) throws -> Query {
        do {
            return try URLEncodedFormDecoder().decode(Query.self, from: request.uri.query ?? "")
        } catch is URLEncodedFormError, is DecodingError {
            throw HTTPError(.badRequest, message: "The address could not be read.")
        }
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
