import PerRequest

/// Runs `body` beside `work`, then lets it drain.
func running(_ work: BackgroundWork, _ body: () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await work.runUntilShutdown() }
        await work.untilRunning()
        do {
            try await body()
        } catch {
            work.shutDown()
            throw error
        }
        work.shutDown()
        try await group.waitForAll()
    }
}
