import PerRequest
import Synchronization

/// What clients read, from any task.
final class Answers: Sendable {
    private let answers = Lock<[ConformanceAnswer]>([])

    var all: [ConformanceAnswer] { answers.withLock { $0 } }

    func add(_ answer: ConformanceAnswer) { answers.withLock { $0.append(answer) } }
}
