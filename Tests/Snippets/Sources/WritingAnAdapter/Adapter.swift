import PerRequest
import PerRequestAdapters

func serve(
    _ request: String,
    with framework: Framework,
    observers: [any RequestObserver],
    logger: Logger,
    isConnectionDead: Bool
) async throws {
    // snippet WritingAnAdapter.md: Overview
}

struct Framework {
    func respond(to request: String, onError: (any Error) -> Void) async -> Response { Response(status: 200) }

    func write(_ response: Response) async throws {}
}

struct Response {
    let status: Int
}

struct Logger: Sendable {
    func error(_ text: String) {}
}
