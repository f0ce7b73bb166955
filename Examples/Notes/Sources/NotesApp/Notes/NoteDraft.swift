/// A note that may be stored.
struct NoteDraft: Sendable {
    /// What is wrong with the input, in words for its author.
    struct Invalid: Error {
        let message: String
    }

    let title: String
    let body: String

    init(_ input: NoteInput) throws(Invalid) {
        title = try Self.check(input.title, as: "title", limit: 200)
        body = try Self.check(input.body, as: "body", limit: 10_000)
    }

    private static func check(_ text: String?, as field: String, limit: Int) throws(Invalid) -> String {
        guard let text, !text.allSatisfy(\.isWhitespace) else {
            throw Invalid(message: "The \(field) must not be blank.")
        }
        guard text.count <= limit else {
            throw Invalid(message: "The \(field) must not be longer than \(limit) characters.")
        }
        // SQLite's text ends at its first NUL.
        guard !text.unicodeScalars.contains("\0") else {
            throw Invalid(message: "The \(field) must not contain NUL characters.")
        }
        return text
    }
}
