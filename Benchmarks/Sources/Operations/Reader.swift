import PerRequest

/// Something that many tasks read at once.
public struct Reader: Sendable {
    /// What `Scripts/bench` calls it.
    public let name: String

    /// Lets `tasks` child tasks read it `count` times each.
    public let run: @Sendable (_ tasks: Int, _ count: Int) async throws -> Int

    /// All of them.
    public static let all = [
        Reader(name: "ambient read of a number") { tasks, count in
            try await withRequestStore { _ in
                try Current.setAll()
                return await inChildTasks(tasks) {
                    var sum = 0
                    for _ in 0..<count { sum &+= Current.number.value }
                    return sum
                }
            }
        },
        Reader(name: "bare task-local") { tasks, count in
            await Bare.$number.withValue(1) {
                await inChildTasks(tasks) {
                    var sum = 0
                    for _ in 0..<count { sum &+= Bare.number }
                    return sum
                }
            }
        },
    ]
}

private func inChildTasks(_ tasks: Int, _ body: @escaping @Sendable () -> Int) async -> Int {
    await withTaskGroup(of: Int.self) { group in
        for _ in 0..<tasks { group.addTask { body() } }
        return await group.reduce(0, &+)
    }
}
