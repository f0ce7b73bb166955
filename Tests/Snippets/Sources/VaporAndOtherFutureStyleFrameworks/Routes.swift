import PerRequest
import Vapor

func configure(_ app: Application, work: BackgroundWork) {
    // snippet VaporAndOtherFutureStyleFrameworks.md: An adapter for Vapor (2)
}

func routes(_ app: Application) {
    // snippet VaporAndOtherFutureStyleFrameworks.md: A page that is streamed
}

struct Notes: Sendable {
    func all() async throws -> [String] { [] }
}

enum Current {
    static let notes = RequestResource("notes") {
        Notes()
    } release: { _, _ in
    }
}
