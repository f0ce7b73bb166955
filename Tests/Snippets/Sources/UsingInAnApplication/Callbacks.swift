import Dispatch
import NIOCore
import PerRequest
import PerRequestNIO

func callback(on queue: DispatchQueue, _ audit: @escaping @Sendable (User?) -> Void) {
    // snippet UsingInAnApplication.md: Callbacks
}

func futures(_ database: Database, _ index: Index) -> RequestFuture<Void> {
    // snippet UsingInAnApplication.md: Callbacks (2)
}

struct Note: Sendable {
    init(_ row: String, for user: User) throws {}
}

struct Database: Sendable {
    let eventLoop: any EventLoop

    func query(_ sql: String) -> EventLoopFuture<String> { eventLoop.makeSucceededFuture(sql) }
}

struct Index: Sendable {
    let eventLoop: any EventLoop

    func add(_ note: Note, language: String) -> EventLoopFuture<Void> { eventLoop.makeSucceededVoidFuture() }

    func add(_ row: String) async throws {}
}
