import Hummingbird
import PerRequest

/// What became of several notes that were sent at once.
struct NoteImport: Sendable, Encodable, ResponseEncodable {
    /// A note that was not stored.
    struct Rejected: Sendable, Encodable {
        /// Its place among those that were sent, from 0.
        let index: Int
        let message: String
    }

    private(set) var imported: [Note] = []
    private(set) var rejected: [Rejected] = []

    /// Stores those that can be stored, in the request's transaction.
    ///
    /// Each is a part of it that is undone on its own, with what it has left for after the response.
    ///
    /// - Parameter failure: Happens to the second one, after it was written.
    init(_ inputs: [NoteInput], failure: ForcedFailure?) async throws {
        // Without a transaction none can be stored.
        _ = try await Current.transaction.get()
        for (index, input) in inputs.enumerated() {
            try Task.checkCancellation()
            do {
                let note = try await withRequestStore(.child(owning: Current.savepoint)) { _ in
                    _ = try await Current.savepoint.get()
                    let note = try await NotesRepository.insert(NoteDraft(input))
                    if index == 1 { try await failure?.happen() }
                    return note
                }
                imported.append(note)
            } catch {
                rejected.append(Rejected(index: index, message: ErrorReply(error).message))
            }
        }
    }
}
