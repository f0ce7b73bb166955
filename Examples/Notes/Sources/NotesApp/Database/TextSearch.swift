/// How a database finds notes by their words.
struct TextSearch: Sendable {
    /// Adds the note `$1` to the index, if it is still there.
    let index: String
    /// The notes that match the pattern `$1`, newest first.
    let find: String
    /// Makes a pattern that matches what has all the words of a text.
    let pattern: @Sendable (String) -> String
}
