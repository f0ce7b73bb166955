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

    /// A queue and what is to be true of it.
    private struct Model {
        var queue = BackgroundQueue(limit: 3, concurrency: 2)
        var waiting: [Int] = []
        var running: Set<Int> = []
        var started: Set<Int> = []
        /// What was not true.
        var problem: String?

        private mutating func check(_ isTrue: Bool, _ what: String) {
            if !isTrue, problem == nil { problem = what }
        }

        mutating func handle(_ event: Event) {
            let phase = queue.phase
            switch event {
            case .start: queue.start()
            case .drain: queue.drain()
            case .end:
                queue.end()
                (waiting, running) = ([], [])
                check(queue.isDone && queue.jobs.isEmpty, "ended with jobs")
            case .admit(let isFromJob):
                let count = queue.jobs.count
                switch queue.admit(isFromJob: isFromJob) {
                case .success:
                    let isOpen = phase == .running || phase == .draining && isFromJob
                    check(isOpen && count < 3, "admitted what is to be refused")
                case .failure(.full): check(count == 3, "full with a free place")
                case .failure(.notRunning):
                    check(phase != .running && !(phase == .draining && isFromJob), "refused while it runs")
                }
            case .withdraw(let ticket): queue.withdraw(ticket)
            case .enqueue(let ticket): if queue.enqueue(ticket) { waiting.append(ticket) }
            case .ended(let ticket):
                queue.ended(ticket)
                running.remove(ticket)
            case .next:
                let tickets = queue.startable()
                // Those that have waited longest, each once.
                check(tickets == Array(waiting.prefix(tickets.count)), "started out of order")
                waiting.removeFirst(tickets.count)
                for ticket in tickets { check(started.insert(ticket).inserted, "started twice") }
                running.formUnion(tickets)
                let mayStart = phase == .running || phase == .draining
                check(!mayStart || waiting.isEmpty || running.count == 2, "left waiting with a free turn")
            }
            check(queue.phase >= phase, "a phase went back")
            check(queue.running == running.count && running.count <= 2, "too many run")
            check(queue.jobs.count <= 3, "too many were admitted")
            check(Set(queue.jobs.filter { $0.state == .running }.map(\.ticket)) == running, "lost count of what runs")
            check(queue.jobs.filter { $0.state == .waiting }.map(\.ticket) == waiting, "lost count of what waits")
        }
    }

    @Test("every short sequence of events with up to 3 jobs keeps places, order and limits")
    func everySequence() async {
        let problem: String? = await onOwnThread {
            let events: [Event] =
                [.start, .drain, .end, .next, .admit(isFromJob: false), .admit(isFromJob: true)]
                + (1...2).flatMap { [.withdraw($0), .enqueue($0), .ended($0)] }
            func explore(_ model: Model, _ depth: Int) -> String? {
                guard depth > 0, model.problem == nil else { return model.problem }
                for event in events {
                    var next = model
                    next.handle(event)
                    if let problem = explore(next, depth - 1) { return problem }
                }
                return nil
            }
            var started = Model()
            started.handle(.start)
            var two = started
            for event in [Event.admit(isFromJob: false), .admit(isFromJob: false), .enqueue(2)] { two.handle(event) }
            return explore(Model(), 3) ?? explore(started, 4) ?? explore(two, 4)
        }
        #expect(problem == nil)
    }
}
