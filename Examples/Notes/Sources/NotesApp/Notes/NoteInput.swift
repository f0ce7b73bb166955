/// What a client sends to make a note, from a form or as JSON.
///
/// Nothing in it has been checked.
struct NoteInput: Sendable, Decodable {
    var title: String?
    var body: String?
}
