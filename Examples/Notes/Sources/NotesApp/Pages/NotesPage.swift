import HTTPTypes
import Hummingbird
import Mustache
import PerRequest

/// The page with the forms and the notes.
struct NotesPage: Sendable {
    let templates: PageTemplates

    /// Responds with the page: with all notes, or with those that have the words searched for.
    ///
    /// The shell is on its way before the database is asked; the notes follow as they are read.
    func response(
        _ status: HTTPResponse.Status = .ok,
        finding words: SearchWords? = nil,
        keeping input: NoteInput? = nil,
        message: String? = nil
    ) -> Response {
        let body = ResponseBody.streamed { writer in
            try await writer.write(shell(words, input, message))
            let hasNotes =
                if let words {
                    try await write(NotesRepository.find(words.text), to: &writer)
                } else {
                    try await writeAll(to: &writer)
                }
            try await writer.write(end(words, hasNotes))
        }
        return Response(status: status, headers: .page, body: body)
    }

    /// Writes some of the notes; false if there are none.
    @concurrent
    private func write(_ notes: [Note], to writer: inout any ResponseBodyWriter) async throws -> Bool {
        guard !notes.isEmpty else { return false }
        try await writer.write(ByteBuffer(string: templates.notes.render(["notes": notes])))
        return true
    }

    /// Writes all notes, as they are read; false if there are none.
    @concurrent
    private func writeAll(to writer: inout any ResponseBodyWriter) async throws -> Bool {
        var last = Int64.max
        while true {
            let notes = try await NotesRepository.newest(olderThan: last, limit: 100)
            guard let oldest = notes.last else { return last != .max }
            _ = try await write(notes, to: &writer)
            last = oldest.id
        }
    }

    private func shell(_ words: SearchWords?, _ input: NoteInput?, _ message: String?) -> ByteBuffer {
        let tenant = Current.tenant.value
        let content: [String: String?] = [
            "tenant": tenant.name,
            "named": tenant.isPublic ? nil : tenant.name,
            "words": words?.text,
            "title": input?.title,
            "body": input?.body,
            "message": message,
        ]
        return ByteBuffer(string: templates.shell.render(content.compactMapValues(\.self)))
    }

    private func end(_ words: SearchWords?, _ hasNotes: Bool) -> ByteBuffer {
        let (nothing, remedy) =
            words == nil
            ? ("No notes yet", "The first one is here as soon as its transaction is committed.")
            : ("Nothing found", "A note is found if it has all of the words.")
        let content: [String: String?] = [
            "nothing": hasNotes ? nil : nothing,
            "remedy": remedy,
            "request": Current.requestID.value,
            "tenant": Current.tenant.value.name,
            "client": (Current.client.valueIfHeld?.id).map(String.init),
        ]
        return ByteBuffer(string: templates.end.render(content.compactMapValues(\.self)))
    }
}
