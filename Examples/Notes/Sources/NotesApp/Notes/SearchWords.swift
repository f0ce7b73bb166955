import Hummingbird

/// The words that notes are searched for.
struct SearchWords: Sendable {
    let text: String

    /// The words in a text that anybody may have written.
    init(_ text: some StringProtocol) throws(HTTPError) {
        // PostgreSQL has no text with a NUL in it.
        let isSearchable = text.contains { !$0.isWhitespace } && !text.unicodeScalars.contains("\0")
        guard isSearchable else { throw HTTPError(.badRequest, message: "`q` is the words to search for.") }
        self.text = String(text)
    }
}
