import HTTPTypes
import Hummingbird
import Mustache
import PerRequest

/// The page with the form and the notes.
struct NotesPage: Sendable {
    let templates: PageTemplates

    /// Responds with the page.
    ///
    /// The shell is on its way before the database is asked; the notes follow as they are read.
    func response(_ status: HTTPResponse.Status = .ok, keeping input: NoteInput? = nil, message: String? = nil)
        -> Response
    {
        let body = ResponseBody.streamed { writer in
            try await writer.write(shell(input, message))
            var last = Int64.max
            while true {
                let notes = try await NotesRepository.newest(olderThan: last, limit: 100)
                guard let oldest = notes.last else { break }
                try await writer.write(ByteBuffer(string: templates.notes.render(["notes": notes])))
                last = oldest.id
            }
            try await writer.write(end())
        }
        return Response(status: status, headers: [.contentType: "text/html; charset=utf-8"], body: body)
    }

    private func shell(_ input: NoteInput?, _ message: String?) -> ByteBuffer {
        let content: [String: String?] = [
            "tenant": Current.tenant.value.name,
            "title": input?.title,
            "body": input?.body,
            "message": message,
        ]
        return ByteBuffer(string: templates.shell.render(content.compactMapValues(\.self)))
    }

    private func end() -> ByteBuffer {
        let content: [String: String?] = [
            "request": Current.requestID.value,
            "tenant": Current.tenant.value.name,
            "client": (Current.client.valueIfHeld?.id).map(String.init),
        ]
        return ByteBuffer(string: templates.end.render(content.compactMapValues(\.self)))
    }
}
