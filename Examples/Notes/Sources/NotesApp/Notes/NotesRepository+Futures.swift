import NIOCore
import PerRequest

extension NotesRepository {
    /// Reads all notes in the older style.
    ///
    /// Callbacks run outside the request's task: the snapshot brings the request along.
    static func all(on eventLoop: any EventLoop) -> EventLoopFuture<[Note]> {
        let snapshot = RequestSnapshot()
        return eventLoop.makeFutureWithTask(snapshot.wrap { try await Current.client.get() })
            .flatMap(
                snapshot.wrap { client in
                    let promise = eventLoop.makePromise(of: [SQLRow].self)
                    client.query(allNotes) { result in promise.completeWith(result) }
                    return promise.futureResult
                }
            )
            .flatMapThrowing { rows in try rows.map(Note.init) }
    }
}
