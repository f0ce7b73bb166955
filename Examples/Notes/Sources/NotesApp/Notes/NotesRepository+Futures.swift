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
                    let tenant = Current.tenant.value
                    let promise = eventLoop.makePromise(of: [Note].self)
                    client.read { db in
                        try fetchAll(of: tenant, from: db)
                    } completion: { result in
                        promise.completeWith(result)
                    }
                    return promise.futureResult
                }
            )
    }
}
