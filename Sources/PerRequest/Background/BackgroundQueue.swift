/// The bookkeeping of ``BackgroundWork``: which jobs were admitted, which wait for their turn, which run.
///
/// A pure value: it starts nothing, waits for nothing and locks nothing.
struct BackgroundQueue: Sendable {
    enum Phase: Int, Sendable, Comparable {
        case notStarted
        case running
        /// No request is admitted any more; what was admitted goes on.
        case draining
        case ended

        static func < (lhs: Phase, rhs: Phase) -> Bool { lhs.rawValue < rhs.rawValue }
    }

    enum Refusal: Sendable, Equatable {
        case notRunning
        case full
    }

    struct Job: Sendable, Equatable {
        let ticket: Int
        var state: JobState
    }

    enum JobState: Sendable, Equatable {
        /// Its request is still being served.
        case reserved
        case waiting
        case running
    }

    private(set) var phase = Phase.notStarted
    /// In the order in which they may start.
    private(set) var jobs: [Job] = []
    private(set) var running = 0
    private var lastTicket = 0
    let limit: Int
    let concurrency: Int

    init(limit: Int, concurrency: Int) {
        self.limit = limit
        self.concurrency = concurrency
    }

    var isDone: Bool { phase == .ended || phase == .draining && jobs.isEmpty }

    /// Lets jobs start.
    ///
    /// - Returns: Whether this was the first time.
    @discardableResult
    mutating func start() -> Bool {
        guard phase == .notStarted else { return false }
        phase = .running
        return true
    }

    /// Admits a job, which then has a place whatever comes.
    ///
    /// - Parameter isFromJob: A job that is running asks: it is admitted while the queue drains, too.
    mutating func admit(isFromJob: Bool) -> Result<Int, Refusal> {
        guard phase == .running || phase == .draining && isFromJob else { return .failure(.notRunning) }
        guard jobs.count < limit else { return .failure(.full) }
        lastTicket += 1
        jobs.append(Job(ticket: lastTicket, state: .reserved))
        return .success(lastTicket)
    }

    /// Gives the place of a job back that is not to run.
    mutating func withdraw(_ ticket: Int) {
        jobs.removeAll { $0.ticket == ticket && $0.state == .reserved }
    }

    /// Puts a job in the line: its request is over.
    ///
    /// - Returns: Whether it still has its place.
    mutating func enqueue(_ ticket: Int) -> Bool {
        guard let index = jobs.firstIndex(where: { $0.ticket == ticket && $0.state == .reserved }) else { return false }
        // Behind those that were ready before.
        var job = jobs.remove(at: index)
        job.state = .waiting
        jobs.append(job)
        return true
    }

    /// The jobs that may start now.
    mutating func startable() -> [Int] {
        guard phase == .running || phase == .draining else { return [] }
        var tickets: [Int] = []
        for index in jobs.indices where running < concurrency && jobs[index].state == .waiting {
            jobs[index].state = .running
            running += 1
            tickets.append(jobs[index].ticket)
        }
        return tickets
    }

    mutating func ended(_ ticket: Int) {
        guard let index = jobs.firstIndex(where: { $0.ticket == ticket && $0.state == .running }) else { return }
        jobs.remove(at: index)
        running -= 1
    }

    /// Admits no request's job from now on.
    ///
    /// - Returns: Whether this was the first time.
    @discardableResult
    mutating func drain() -> Bool {
        guard phase < .draining else { return false }
        phase = .draining
        return true
    }

    /// Ends the queue: what was admitted and is not done has lost its place.
    mutating func end() {
        phase = .ended
        jobs = []
        running = 0
    }
}

extension BackgroundQueue.Refusal: Error {}
