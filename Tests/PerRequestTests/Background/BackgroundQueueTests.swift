import Testing

@testable import PerRequest

@Suite("The queue of work after the response (rule 20)")
struct BackgroundQueueTests {
    private enum Event: Hashable {
        case start, drain, end
        case admit(isFromJob: Bool)
        case withdraw(Int), enqueue(Int), ended(Int)
        case next
    }

    /// A queue and what is to be true of it, kept in the simplest way.
    private struct Model {
        var queue = BackgroundQueue(limit: 3, concurrency: 2)
        var reserved: Set<Int> = []
        /// The lines that have a job which waits, those first that have waited longest.
        var ready: [Int] = []
        var waiting: [Int: [Int]] = [:]
        var running: Set<Int> = []
        var started: Set<Int> = []
        /// What was not true.
        var problem: String?

        private var admitted: Int { reserved.count + waiting.values.reduce(0) { $0 + $1.count } + running.count }

        /// The jobs 1 and 3 are of one request, the job 2 is of another.
        private static func line(of ticket: Int) -> Int { ticket % 2 }

        private mutating func check(_ isTrue: Bool, _ what: String) {
            if !isTrue, problem == nil { problem = what }
        }

        mutating func handle(_ event: Event) {
            let phase = queue.phase
            switch event {
            case .start: queue.start()
            case .drain: queue.drain()
            case .end:
                let given = queue.end()
                check(given == waiting.values.flatMap { $0 }.sorted(), "did not say what was given up")
                (reserved, waiting, ready) = ([], [:], [])
                check(queue.isDone, "ended and not done")
            case .admit(let isFromJob):
                switch queue.admit(isFromJob: isFromJob) {
                case .success(let ticket):
                    let isOpen = phase == .running || phase == .draining && isFromJob
                    check(isOpen && admitted < 3, "admitted what is to be refused")
                    reserved.insert(ticket)
                case .failure(.full): check(admitted == 3, "full with a free place")
                case .failure(.notRunning):
                    check(phase != .running && !(phase == .draining && isFromJob), "refused while it runs")
                }
            case .withdraw(let ticket):
                queue.withdraw(ticket)
                reserved.remove(ticket)
            case .enqueue(let ticket):
                let line = Self.line(of: ticket)
                let isAccepted = queue.enqueue(ticket, line: line)
                check(isAccepted == (reserved.remove(ticket) != nil), "a job without a place, or a place without a job")
                guard isAccepted else { break }
                let isIdle = waiting[line] == nil && !running.contains { Self.line(of: $0) == line }
                if isIdle { ready.append(line) }
                waiting[line, default: []].append(ticket)
            case .ended(let ticket):
                queue.ended(ticket)
                let line = Self.line(of: ticket)
                if running.remove(ticket) != nil, waiting[line] != nil { ready.append(line) }
            case .next: next(phase)
            }
            check(queue.phase >= phase, "a phase went back")
            let counts = BackgroundWork.Counts(
                reserved: reserved.count,
                waiting: waiting.values.reduce(0) { $0 + $1.count },
                running: running.count
            )
            check(queue.counts == counts, "lost count")
            check(running.count <= 2, "too many run")
            check(Set(running.map(Self.line)).count == running.count, "two of a request run at once")
            check(queue.isDone == (queue.phase == .ended || queue.phase == .draining && admitted == 0), "done or not")
        }

        private mutating func next(_ phase: BackgroundQueue.Phase) {
            let tickets = queue.startable()
            for ticket in tickets {
                check(started.insert(ticket).inserted, "started twice")
                let line = Self.line(of: ticket)
                check(ready.first == line, "a line that has waited longer was passed over")
                check(waiting[line]?.first == ticket, "a job was passed over by a later one of its request")
                guard problem == nil else { return }
                ready.removeFirst()
                waiting[line]?.removeFirst()
                if waiting[line] == [] { waiting[line] = nil }
                running.insert(ticket)
            }
            let mayStart = phase == .running || phase == .draining
            check(!mayStart || ready.isEmpty || running.count == 2, "left waiting with a free turn")
        }
    }

    @Test("every short sequence of events with up to 3 jobs of 2 requests keeps places, order, lines and limits")
    func everySequence() async {
        let problem: String? = await onOwnThread {
            let events: [Event] =
                [.start, .drain, .end, .next, .admit(isFromJob: false), .admit(isFromJob: true)]
                + (1...3).flatMap { [.withdraw($0), .enqueue($0), .ended($0)] }
            func explore(_ model: Model, _ depth: Int) -> String? {
                guard depth > 0, model.problem == nil else { return model.problem }
                for event in events {
                    var next = model
                    next.handle(event)
                    if let problem = explore(next, depth - 1) { return problem }
                }
                return nil
            }
            func after(_ events: [Event]) -> Model {
                var model = Model()
                for event in events { model.handle(event) }
                return model
            }
            let three = [Event.start] + Array(repeating: .admit(isFromJob: false), count: 3)
            return explore(Model(), 3) ?? explore(after([.start]), 4) ?? explore(after(three), 4)
                ?? explore(after(three + [.enqueue(3), .enqueue(1), .enqueue(2)]), 4)
        }
        #expect(problem == nil)
    }

    @Test("100,000 jobs of one request, or of as many, cost no more each than a few do")
    func manyJobs() async {
        let count = 100_000
        let isDone = await onOwnThread {
            var isDone = true
            for lines in [1, count] {
                var queue = BackgroundQueue(limit: 2 * count, concurrency: 16)
                queue.start()
                for ticket in 1...2 * count {
                    guard case .success(ticket) = queue.admit(isFromJob: false) else { return false }
                }
                for ticket in 1...count { queue.withdraw(2 * ticket) }
                for ticket in 1...count where !queue.enqueue(2 * ticket - 1, line: ticket % lines) { return false }
                var next = 0
                while case let tickets = queue.startable(), !tickets.isEmpty {
                    for ticket in tickets {
                        isDone = isDone && ticket == 2 * next + 1
                        next += 1
                        queue.ended(ticket)
                    }
                }
                isDone = isDone && next == count && queue.counts == BackgroundWork.Counts()
            }
            return isDone
        }
        #expect(isDone)
    }
}
