import HTTPTypes
import Hummingbird

/// `GET /api/notes` as it is without PerRequest: what `Scripts/bench query` compares the request's client with.
///
/// No store is open: the handler leases its client, passes it on, and gives it back.
struct LeaseByHand: Sendable {
    let database: any DatabaseClients

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/notes", use: list)
    }

    private func list(
        _ request: Request,
        _ context: BasicRequestContext
    ) async throws -> EditedResponse<[Note]> {
        let client = try await database.lease(for: Tenant(request.headers))
        let notes: Result<[Note], any Error>
        do {
            notes = .success(try await client.query(NotesRepository.allNotes).map(Note.init))
        } catch {
            notes = .failure(error)
        }
        // In a task of its own: the request's cancellation does not reach it.
        await Task.immediate { await client.giveBack() }.value
        let headers: HTTPFields = [.requestID: context.id, .databaseClient: String(client.id)]
        return EditedResponse(headers: headers, response: try notes.get())
    }
}
