import HTTPTypes
import Hummingbird
import PerRequest
import PerRequestHummingbird
import ServiceLifecycle

/// The number of notes, again and again, as server-sent events.
struct EventRoutes: Sendable {
    func add(to router: RequestStoreRouter<BasicRequestContext>) {
        router.get("events", use: count)
    }

    private func count(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let count = try number("count", in: request, default: 10, range: 1...1000)
        let interval = try number("interval", in: request, default: 1000, range: 0...10_000)
        let body = ResponseBody.streamed { writer in
            // A client may leave at any time; this breaks off the wait for the next event.
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                for number in 1...count {
                    if number > 1 { try await pause(.milliseconds(interval)) }
                    let notes = try await NotesRepository.count()
                    // No client is held between events: the next one leases anew. A transaction on it would be committed.
                    try await Current.client.release(.commit)
                    try await writer.write(ByteBuffer(string: "data: \(notes)\n\n"))
                }
            }
        }
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-cache"],
            body: body
        )
    }

    /// Waits.
    ///
    /// A server that is told to stop does not wait to the end.
    private func pause(_ duration: Duration) async throws {
        try await cancelWhenGracefulShutdown { try await Task.sleep(for: duration) }
    }

    private func number(
        _ name: Substring,
        in request: Request,
        default: Int,
        range: ClosedRange<Int>
    ) throws(HTTPError) -> Int {
        guard let text = request.uri.queryParameters[name] else { return `default` }
        guard let number = Int(text), range.contains(number) else {
            throw HTTPError(
                .badRequest,
                message: "`\(name)` is a number from \(range.lowerBound) to \(range.upperBound)."
            )
        }
        return number
    }
}
