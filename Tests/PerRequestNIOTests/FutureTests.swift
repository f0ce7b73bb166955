#if NIO
import NIOCore
import NIOPosix
import PerRequest
import PerRequestNIO
import Testing
import PerRequestTestSupport

private let user = RequestLocal<String?>("user")

@Suite("Rule 3: futures, event loops and thread pools carry the store", .timeLimit(.minutes(3)))
struct FutureTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.any()

    private struct Notes: Sendable {
        private let box = Box<[String]>([])

        var all: [String] { box.value }

        /// Notes where the code is and which user it sees.
        @Sendable func note(_ place: String) {
            let line = "\(place) \(user.value ?? "-")"
            box.update { $0.append(line) }
        }
    }

    @Test("A plain future's callback does not see the store")
    func plain() async throws {
        let notes = Notes()
        try await withRequestStore { _ in
            try user.set("alice")
            try await loop.submit { 1 }.map { _ in notes.note("map") }.get()
        }
        #expect(notes.all == ["map -"])
    }

    @Test("Every step of a chain sees the store")
    func chain() async throws {
        let notes = Notes()
        let loop = loop
        try await withRequestStore { _ in
            try user.set("alice")
            let result = try await loop.submit { 1 }.inRequestStore
                .map { number -> Int in
                    notes.note("map")
                    return number + 1
                }
                .flatMapThrowing { number -> String in
                    notes.note("flatMapThrowing")
                    return "\(number) \(try user.require())"
                }
                .flatMap { text -> EventLoopFuture<String> in
                    notes.note("flatMap")
                    return loop.makeSucceededFuture(text)
                }
                .flatMap { text -> RequestFuture<String> in
                    // The store is current in a callback: what it starts carries it on.
                    loop.inRequestStore.submit {
                        notes.note("submit in flatMap")
                        return text
                    }
                }
                .always { _ in notes.note("always") }
                .get()
            #expect(result == "2 alice")
            #expect(user.value == "alice")
        }
        #expect(
            notes.all
                == ["map", "flatMapThrowing", "flatMap", "submit in flatMap", "always"].map { "\($0) alice" }
        )
    }

    @Test("Every way to handle an error sees the store")
    func errors() async throws {
        let notes = Notes()
        let loop = loop
        try await withRequestStore { _ in
            try user.set("alice")
            let first: EventLoopFuture<Int> = loop.makeFailedFuture(TestError("first"))
            let failed = first.inRequestStore
            let result =
                try await failed
                .flatMapErrorThrowing { error -> Int in
                    notes.note("flatMapErrorThrowing")
                    throw error
                }
                .flatMapError { _ -> EventLoopFuture<Int> in
                    notes.note("flatMapError")
                    return loop.makeFailedFuture(TestError("second"))
                }
                .flatMapError { error -> RequestFuture<Int> in
                    notes.note("flatMapError to RequestFuture")
                    let same: EventLoopFuture<Int> = loop.makeFailedFuture(error)
                    return same.inRequestStore
                }
                .recover { error in
                    notes.note("recover from \((error as? TestError)?.name ?? "?")")
                    return 7
                }
                .get()
            #expect(result == 7)
            await #expect(throws: TestError("first")) { try await failed.get() }
        }
        #expect(
            notes.all
                == ["flatMapErrorThrowing", "flatMapError", "flatMapError to RequestFuture", "recover from second"]
                .map { "\($0) alice" }
        )
    }

    @Test("The ends of a chain see the store")
    func ends() async throws {
        let notes = Notes()
        let loop = loop
        try await withRequestStore { _ in
            try user.set("alice")
            let done = loop.makePromise(of: Void.self)
            let succeeded = loop.makeSucceededFuture(1).inRequestStore
            succeeded.whenSuccess { _ in notes.note("whenSuccess") }
            succeeded.whenFailure { _ in notes.note("never") }
            let failure: EventLoopFuture<Int> = loop.makeFailedFuture(TestError())
            let failed = failure.inRequestStore
            failed.whenFailure { _ in notes.note("whenFailure") }
            failed.whenComplete { _ in
                notes.note("whenComplete")
                done.succeed()
            }
            try await done.futureResult.get()
        }
        #expect(notes.all.sorted() == ["whenComplete alice", "whenFailure alice", "whenSuccess alice"])
    }

    @Test("An event loop runs what it is given with the store current")
    func eventLoop() async throws {
        let notes = Notes()
        let loop = loop
        try await withRequestStore { _ in
            try user.set("alice")
            let executed = loop.makePromise(of: Void.self)
            loop.inRequestStore.execute {
                notes.note("execute")
                executed.succeed()
            }
            try await executed.futureResult.get()
            #expect(try await loop.inRequestStore.submit { try user.require() }.get() == "alice")
            await #expect(throws: TestError()) { try await loop.inRequestStore.submit { throw TestError() }.get() }
            let flat = loop.inRequestStore.flatSubmit { loop.makeSucceededFuture(user.value) }
            #expect(try await flat.get() == "alice")
            let scheduled = loop.inRequestStore.scheduleTask(in: .milliseconds(1)) { user.value }
            #expect(try await scheduled.futureResult.get() == "alice")
        }
        #expect(notes.all == ["execute alice"])
    }

    @Test("A thread pool runs what it is given with the store current")
    func threadPool() async throws {
        let pool = NIOThreadPool.singleton
        let loop = loop
        try await withRequestStore { _ in
            try user.set("alice")
            #expect(try await pool.inRequestStore.runIfActive { try user.require() } == "alice")
            await #expect(throws: TestError()) { try await pool.inRequestStore.runIfActive { throw TestError() } }
            let future = pool.inRequestStore.runIfActive(eventLoop: loop) { user.value ?? "-" }
                .map { text in "\(text) \(user.value ?? "-")" }
            #expect(try await future.get() == "alice alice")
            let seen = await withCheckedContinuation { continuation in
                pool.inRequestStore.submit { state in
                    guard case .active = state else { return continuation.resume(returning: "inactive") }
                    continuation.resume(returning: user.value ?? "-")
                }
            }
            #expect(seen == "alice")
        }
    }

    @Test("A store that was current before is carried by its snapshot; one that is current here is hidden")
    func snapshot() async throws {
        let loop = loop
        let pool = NIOThreadPool.singleton
        try await withRequestStore { _ in
            try user.set("alice")
            let snapshot = RequestSnapshot()
            try await withRequestStore { _ in
                try user.set("bob")
                #expect(try await loop.submit {}.inRequestStore(of: snapshot).map { user.value }.get() == "alice")
                #expect(try await loop.inRequestStore(of: snapshot).submit { user.value }.get() == "alice")
                #expect(try await pool.inRequestStore(of: snapshot).runIfActive { user.value } == "alice")
                #expect(try await loop.submit {}.inRequestStore.map { user.value }.get() == "bob")
            }
        }
    }

    @Test("Rule 5: a callback that comes after the request sees its closed store, and no other")
    func afterwards() async throws {
        let promise = loop.makePromise(of: Void.self)
        let late = try await withRequestStore { _ in
            try user.set("alice")
            return promise.futureResult.inRequestStore.flatMapThrowing {
                #expect(RequestStore.current?.isClosed == true)
                #expect(user.value == nil)
                return try user.require()
            }
        }
        try await withRequestStore { _ in
            try user.set("bob")
            promise.succeed()
            await #expect(throws: RequestStoreError.self) { try await late.get() }
        }
    }

    @Test("Rule 5: outside a request a callback has no store, and what needs one says so")
    func outside() async throws {
        let future = loop.submit {}.inRequestStore.flatMapThrowing { try user.require() }
        let error = await #expect(throws: RequestStoreError.self) { try await future.get() }
        guard case .outsideRequest = error?.reason else { Issue.record("\(String(describing: error))"); return }
    }

    @Test("Rule 2: a hundred requests at once carry their own stores over shared event loops")
    func isolation() async throws {
        try await withThrowingTaskGroup { group in
            for number in 0..<100 {
                group.addTask {
                    try await withRequestStore { _ in
                        try user.set("\(number)")
                        let loop = MultiThreadedEventLoopGroup.singleton.next()
                        var future = loop.inRequestStore.submit { [user.value] }
                        for _ in 0..<10 {
                            future = future.flatMap { seen in
                                NIOThreadPool.singleton.inRequestStore
                                    .runIfActive(eventLoop: MultiThreadedEventLoopGroup.singleton.next()) {
                                        seen + [user.value]
                                    }
                            }
                        }
                        let seen = try await future.get()
                        #expect(seen == Array(repeating: "\(number)", count: 11))
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
#endif
