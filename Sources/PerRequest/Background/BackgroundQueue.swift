/// The bookkeeping of ``BackgroundWork``: which jobs were admitted, which wait for their turn, which run.
///
/// The jobs of one request stand in one line and run one after another; the lines are served side by side, in turn. What
/// each event costs depends on neither how many jobs nor how many lines there are.
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

    enum Refusal: Error, Equatable {
        case notRunning
        case full
    }

    private enum Place: Sendable, Equatable {
        /// The job's request is still being served.
        case reserved
        case waiting
        case running(line: Int)
    }

    private(set) var phase = Phase.notStarted
    private(set) var counts = BackgroundWork.Counts()
    /// What has become of each job that was admitted, by ticket.
    private var places: [Int: Place] = [:]
    /// The jobs that wait in each line of which one is running or may be started.
    private var lines: [Int: Fifo<Int>] = [:]
    /// The lines whose first job may be started, those first that have waited longest.
    private var ready = Fifo<Int>()
    private var lastTicket = 0
    let limit: Int
    let concurrency: Int

    init(limit: Int, concurrency: Int) {
        self.limit = limit
        self.concurrency = concurrency
    }

    var isDone: Bool { phase == .ended || phase == .draining && places.isEmpty }

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
        guard places.count < limit else { return .failure(.full) }
        lastTicket += 1
        places[lastTicket] = .reserved
        counts.reserved += 1
        return .success(lastTicket)
    }

    /// Gives the place of a job back that is not to run.
    mutating func withdraw(_ ticket: Int) {
        guard places[ticket] == .reserved else { return }
        places[ticket] = nil
        counts.reserved -= 1
    }

    /// Puts a job at the end of its request's line: whoever left it is over.
    ///
    /// - Returns: Whether it still has its place.
    mutating func enqueue(_ ticket: Int, line: Int) -> Bool {
        guard places[ticket] == .reserved else { return false }
        places[ticket] = .waiting
        counts.reserved -= 1
        counts.waiting += 1
        if lines[line] == nil { ready.append(line) }
        lines[line, default: Fifo()].append(ticket)
        return true
    }

    /// The jobs that may start now.
    mutating func startable() -> [Int] {
        guard phase == .running || phase == .draining else { return [] }
        var tickets: [Int] = []
        while counts.running < concurrency, let line = ready.popFirst(), let ticket = lines[line]?.popFirst() {
            places[ticket] = .running(line: line)
            counts.waiting -= 1
            counts.running += 1
            tickets.append(ticket)
        }
        return tickets
    }

    /// Lets the next one in the line have its turn, after those lines that wait already.
    mutating func ended(_ ticket: Int) {
        guard case .running(let line) = places[ticket] else { return }
        places[ticket] = nil
        counts.running -= 1
        guard let waiting = lines[line] else { return }
        if waiting.isEmpty { lines[line] = nil } else { ready.append(line) }
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

    /// Ends the queue: what was admitted and does not run has lost its place.
    ///
    /// - Returns: The jobs that were waiting, in the order in which they were admitted.
    mutating func end() -> [Int] {
        phase = .ended
        let waiting = places.filter { $0.value == .waiting }.keys.sorted()
        places = places.filter { _, place in place != .reserved && place != .waiting }
        counts = BackgroundWork.Counts(running: counts.running)
        lines = [:]
        ready = Fifo()
        return waiting
    }
}
