import PerRequest
import PerRequestTesting
import Synchronization

/// A request on its way to a server in the same process, and the response on its way back.
struct Exchange: Sendable {
    enum Part: Sendable {
        case head(RequestStatus?, isSuccess: Bool)
        case body(String)
    }

    struct ClientIsGone: Error {}

    let request: String
    private let parts: AsyncThrowingStream<Part, any Error>.Continuation
    private let isClientGone: @Sendable () -> Bool

    init(
        _ request: String,
        _ parts: AsyncThrowingStream<Part, any Error>.Continuation,
        isClientGone: @escaping @Sendable () -> Bool
    ) {
        self.request = request
        self.parts = parts
        self.isClientGone = isClientGone
    }

    func write(_ part: Part) throws {
        guard !isClientGone() else { throw ClientIsGone() }
        parts.yield(part)
    }

    func end() { parts.finish() }

    func abort(_ error: any Error) { parts.finish(throwing: error) }
}

/// A connection to a server in the same process.
final class InMemoryConnection: ConformanceConnection {
    private let accept: @Sendable (Exchange) -> Void
    private let opened = Lock<AsyncThrowingStream<Exchange.Part, any Error>?>(nil)
    private let isGone = Atomic(false)

    init(_ accept: @escaping @Sendable (Exchange) -> Void) { self.accept = accept }

    private func send(_ request: String) -> AsyncThrowingStream<Exchange.Part, any Error> {
        let (parts, continuation) = AsyncThrowingStream<Exchange.Part, any Error>.makeStream()
        accept(Exchange(request, continuation) { self.isGone.load(ordering: .acquiring) })
        return parts
    }

    func ask(_ requests: [String]) async throws -> [ConformanceAnswer] {
        var answers: [ConformanceAnswer] = []
        for parts in requests.map(send) {
            var (status, isSuccess, body) = (RequestStatus?.none, false, "")
            for try await part in parts {
                switch part {
                case .head(let code, let success): (status, isSuccess) = (code, success)
                case .body(let text): body += text
                }
            }
            answers.append(ConformanceAnswer(status: status, isSuccess: isSuccess, body: body))
        }
        return answers
    }

    func open(_ request: String) async throws {
        let parts = send(request)
        opened.withLock { $0 = parts }
    }

    func readSome() async throws {
        guard let parts = opened.withLock({ $0 }) else { return }
        for try await case .body in parts { return }
    }

    func leave() async throws { isGone.store(true, ordering: .releasing) }

    func close() async throws { try await leave() }

    /// Runs a server that serves each exchange in a task, for as long as `body` runs.
    static func serve(
        _ application: ConformanceApplication,
        _ serve: @escaping @Sendable (Exchange) async -> Void,
        _ body: @Sendable (_ connect: @escaping ConformanceConnect) async throws -> Void
    ) async throws {
        let (exchanges, queue) = AsyncStream<Exchange>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await application.background.runUntilShutdown() }
            await application.background.untilRunning()
            group.addTask {
                await withDiscardingTaskGroup { group in
                    for await exchange in exchanges { group.addTask { await serve(exchange) } }
                }
            }
            defer { group.cancelAll() }
            try await body { InMemoryConnection { queue.yield($0) } }
        }
    }
}
