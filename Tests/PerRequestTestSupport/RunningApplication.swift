#if Hummingbird
package import Hummingbird
import Logging
package import ServiceLifecycle

/// Runs any application whose `onServerRunning` yields its port.
package func withRunning<Result: Sendable>(
    _ app: some ApplicationProtocol,
    _ ports: AsyncThrowingStream<Int, any Error>,
    _ continuation: AsyncThrowingStream<Int, any Error>.Continuation,
    _ body: (Int, ServiceGroup) async throws -> Result
) async throws -> Result {
    let group = ServiceGroup(configuration: .init(services: [app], logger: app.logger))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            do { try await group.run() } catch { continuation.finish(throwing: error) }
            continuation.finish()
        }
        var iterator = ports.makeAsyncIterator()
        guard let port = try await iterator.next() else { throw CancellationError() }
        let result: Result
        do {
            result = try await body(port, group)
        } catch {
            await group.triggerGracefulShutdown()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return result
    }
}
#endif
