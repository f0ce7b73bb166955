import Synchronization

/// Tells whether a task that was started with `Task.immediate` ended before its starter went on.
///
/// Exactly one of the two sides finds that the other was first, and delivers.
struct Handoff: ~Copyable, Sendable {
    private enum Stage {
        static let running: UInt8 = 0
        static let starterLeft: UInt8 = 1
        static let ended: UInt8 = 2
    }

    private let stage = Atomic(Stage.running)

    /// Called by the task at its end.
    ///
    /// - Returns: Whether the starter has left, so that the task has to deliver what became of it.
    func taskEnds() -> Bool { stage.exchange(Stage.ended, ordering: .acquiringAndReleasing) == Stage.starterLeft }

    /// Called by the starter.
    ///
    /// - Returns: Whether the task has ended, so that the starter has to deliver what became of it.
    func starterLeaves() -> Bool {
        stage.exchange(Stage.starterLeft, ordering: .acquiringAndReleasing) == Stage.ended
    }

    var hasStarterLeft: Bool { stage.load(ordering: .acquiring) == Stage.starterLeft }
}
