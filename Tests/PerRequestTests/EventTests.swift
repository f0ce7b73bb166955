import Synchronization
import Testing

@testable import PerRequest

@Suite("Events")
struct EventTests {
    @Test("tell of a request from its opening to its close: what, in order, where it is declared and was asked for")
    func story() async throws {
        let watch = Watching()
        let connection = RequestResource("connection", fileID: "App/Current.swift", line: 7, column: 3) {
            1
        } release: { _, _ in
        }
        let transaction = RequestResource<Int>.around("transaction", released: .beforeResponse) { use in
            try await use(try await connection.get(fileID: "App/Current.swift", line: 20))
        }
        let id = try await withRequestStore(observers: [watch]) { store in
            _ = try await transaction.get(fileID: "App/Route.swift", line: 40)
            try await connection.use(fileID: "App/Route.swift", line: 41) { _ in }
            return store.id
        }
        #expect(
            watch.names == [
                "opened", "acquiring transaction", "acquiring connection", "acquired connection",
                "acquired transaction",
                "useBegan connection", "useEnded connection", "entered settling", "releasing transaction",
                "released transaction", "settled commit", "entered closing", "releasing connection",
                "released connection", "closed",
            ]
        )
        #expect(watch.ledger.problems == [])
        #expect(watch.ledger.open == [])
        #expect(watch.events.allSatisfy { $0.store.id == id })
        #expect(zip(watch.events, watch.events.dropFirst()).allSatisfy { $0.instant <= $1.instant })
        let acquisitions = watch.events.compactMap { event -> RequestEvent.Acquisition? in
            guard case .acquiring(let acquisition) = event.kind else { return nil }
            return acquisition
        }
        try #require(acquisitions.count == 2)
        #expect(acquisitions[0].inside == nil)
        #expect(acquisitions[0].askedAt.description == "App/Route.swift:40")
        #expect(acquisitions[1].declaration?.description == "App/Current.swift:7:3")
        #expect(acquisitions[1].askedAt.description == "App/Current.swift:20")
        #expect(acquisitions[1].inside == acquisitions[0].id)
    }

    @Test("say who waits for which acquisition, and that it has failed")
    func waiting() async throws {
        let watch = Watching()
        let end = Signal()
        let slow = RequestResource<Int>("slow") {
            await end.wait()
            throw TestError("slow")
        } release: { _, _ in
        }
        try await withRequestStore(observers: [watch]) { store in
            async let first = Result { try await slow.get(in: store) }
            await until { watch.names.contains("acquiring slow") }
            async let second = Result { try await slow.get(in: store, fileID: "App/Second.swift", line: 2) }
            await until { watch.names.contains("waitBegan slow") }
            end.fire()
            _ = await (first, second)
        }
        #expect(watch.ledger.problems == [])
        #expect(watch.ledger.open == [])
        #expect(watch.ledger.counts["waitBegan"] == 1, "the one that it was started for acquires, and waits for nobody")
        #expect(watch.ledger.counts["acquired"] == nil)
        for event in watch.events {
            switch event.kind {
            case .acquisitionFailed(_, let error): #expect(error as? TestError == TestError("slow"))
            case .waitEnded(let call, let error):
                #expect(error as? TestError == TestError("slow"))
                #expect(call.askedAt.description == "App/Second.swift:2")
                #expect(call.acquisition.key == "slow")
            default: break
            }
        }
    }

    @Test("tell a memo's computation, once, and no release")
    func memo() async throws {
        let watch = Watching()
        let double = RequestMemo("double", fileID: "App/Memo.swift", line: 1, column: 2) { (number: Int) in 2 * number }
        try await withRequestStore(observers: [watch]) { _ in
            _ = try await (double(1), double(1))
        }
        #expect(
            watch.names == [
                "opened", "acquiring double", "computed double", "entered settling", "settled commit",
                "entered closing",
                "closed",
            ]
        )
        #expect(watch.events[1].acquisition?.declaration?.description == "App/Memo.swift:1:2")
    }

    @Test("say which limit has passed")
    func limits() async throws {
        let watch = Watching()
        let hanging = RequestResource<Int>("hanging", limits: ResourceLimits(acquire: .milliseconds(5))) {
            try await Task.sleep(for: .seconds(600))
            return 1
        } release: { _, _ in
        }
        try await withRequestStore(observers: [watch]) { _ in
            #expect(await reason { try await hanging.get() }?.name == "acquireTimedOut")
        }
        // The flight that was cancelled ends by itself, before the store closes.
        #expect(watch.names.prefix(3) == ["opened", "acquiring hanging", "limitPassed acquisition"])
        #expect(watch.names.contains("acquisitionFailed hanging"))
        #expect(watch.names.last == "closed")
        #expect(watch.ledger.problems == [])
        let limit = watch.events.compactMap { if case .limitPassed(let limit) = $0.kind { limit } else { nil } }.first
        #expect(limit?.duration == .milliseconds(5))
    }

    @Test("follow a job from its admission to its end, and to the store that it runs in")
    func jobs() async throws {
        let watch = Watching()
        try await withRequestStore(id: "request", observers: [watch]) { store in
            try store.afterResponse("mail") {}
            try store.afterResponse("search") { throw TestError("search") }
        }
        #expect(
            watch.names.filter { $0.contains("job") } == [
                "jobAdmitted mail", "jobAdmitted search", "jobStarted mail in request/mail", "jobEnded mail done",
                "jobStarted search in request/search", "jobEnded search failed",
            ]
        )
        #expect(watch.ledger.problems == [])
        #expect(watch.ledger.open == [])
        #expect(watch.ledger.counts["opened"] == 3)
        let rolledBack = Watching()
        try? await withRequestStore(observers: [rolledBack]) { store in
            try store.afterResponse("mail") {}
            try await withRequestStore(.child) { try $0.afterResponse("child's") {} }
            throw TestError()
        }
        #expect(
            Set(rolledBack.names.filter { $0.contains("job") }) == [
                "jobAdmitted mail", "jobAdmitted child's", "jobEnded mail withdrawn", "jobEnded child's withdrawn",
            ]
        )
        #expect(rolledBack.ledger.open == [])
    }

    @Test("tell of each request that the memory of a store serves")
    func reuse() async throws {
        let watch = CountingObserver()
        let configuration = StoreConfiguration(limits: RequestLimits(), observers: [watch], background: nil)
        let resource = RequestResource("resource") {
            1
        } release: { _, _ in
        }
        for number in 1...3 {
            let scope = StoreScope(sharing: configuration)
            _ = try await resource.get(in: scope.store)
            await scope.settle(status: .http(200))
            await scope.close()
            #expect(watch.counts == .init(opened: number, closed: number, acquired: number, released: number))
        }
    }

    @Test("tell of a child which store it was opened in, and several observers in their order")
    func several() async throws {
        let (journal, own) = (Journal(), Watching())
        struct Noting: RequestObserver {
            let name: String
            let journal: Journal

            func observe(_ event: RequestEvent) {
                guard case .opened(let parent) = event.kind else { return }
                journal.note("\(name): \(event.store.id) in \(parent?.id ?? "nothing")")
            }
        }
        let observers = [Noting(name: "first", journal: journal), Noting(name: "second", journal: journal)]
        try await withRequestStore(id: "request", observers: observers) { _ in
            try await withRequestStore(.child) { _ in }
            try await withRequestStore(.child, id: "seen by another", observers: [own]) { _ in }
        }
        #expect(
            journal.entries == [
                "first: request in nothing", "second: request in nothing", "first: request/1 in request",
                "second: request/1 in request",
            ]
        )
        #expect(own.names == ["opened", "entered settling", "settled commit", "entered closing", "closed"])
    }
}

/// Keeps all events.
private final class Watching: RequestObserver {
    let ledger = EventLedger()
    private let list = Lock<[RequestEvent]>([])

    var events: [RequestEvent] { list.withLock { $0 } }

    /// What the events are, and what about.
    var names: [String] { events.map(\.name) }

    func observe(_ event: RequestEvent) {
        ledger.observe(event)
        list.withLock { $0.append(event) }
    }
}

extension RequestEvent {
    fileprivate var name: String {
        let name = String("\(kind)".prefix { $0 != "(" })
        switch kind {
        case .settled(let verdict): return "\(name) \(verdict)"
        case .limitPassed(let limit): return "\(name) \(limit.subject)"
        case .jobAdmitted(let job): return "\(name) \(job.name)"
        case .jobStarted(let job, let store): return "\(name) \(job.name) in \(store.id)"
        case .jobEnded(let job, let end): return "\(name) \(job.name) \("\(end)".prefix { $0 != "(" })"
        case .entered(let phase): return "\(name) \(phase)"
        default: return acquisition.map { "\(name) \($0.key)" } ?? name
        }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
