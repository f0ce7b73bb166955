#if NIO
import NIOCore
import NIOHTTP1
import NIOPosix
import PerRequest
import PerRequestAdapters
import PerRequestTestSupport
import PerRequestNIO
import Testing

private let name = RequestLocal<String?>("name")

@Suite("Servers on raw SwiftNIO", .timeLimit(.minutes(3)))
struct ServerTests {
    @Test("Rule 16: a commit that fails is a 500, one that overruns a 503; a pool that is exhausted is a 503")
    func failingCommit() async throws {
        let watch = Watch()
        let failing = RequestResource("failing", released: .beforeResponse) {
        } release: { _, outcome in
            watch.note("failing \(outcome.verdict)")
            throw TestError()
        }
        let hanging = RequestResource("hanging", released: .beforeResponse, limits: .init(release: .milliseconds(20))) {
        } release: { _, _ in
            // Ends when it is cancelled.
            try await Task.sleep(for: .seconds(3_600))
        }
        let exhausted = RequestResource("exhausted", limits: .init(acquire: .milliseconds(20))) {
            try await Task.sleep(for: .seconds(3_600))
        } release: { _, _ in
        }
        let handler: TestHandler = { path, _ in
            switch path {
            case "/fails": try await failing.get()
            case "/hangs": try await hanging.get()
            default: try await exhausted.get()
            }
            return TestResponse(.ok, "committed?")
        }
        try await withAsyncServer(observers: [watch], handler) { port in
            let client = try await RawClient.connect(to: port)
            for (path, status) in [("/fails", 500), ("/hangs", 503), ("/exhausted", 503)] {
                try await client.get(path)
                let response = try await client.response()
                #expect(response.status == status)
                #expect(response.body.isEmpty)
                let outcome = try #require(await watch.nextOutcome())
                #expect(outcome.verdict == .rollback)
                #expect(outcome.status == .http(status))
            }
            try await client.close()
        }
        #expect(watch.journal == ["failing commit"])
    }

    @Test("Rule 15: a request that throws before it settles is rolled back, and its error leaves unchanged")
    func throwsUnsettled() async throws {
        let watch = Watch()
        let resource = watch.resource("resource")
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        await #expect(throws: TestError("mine")) {
            try await withRequestScope(on: channel, observers: [watch]) { scope in
                #expect(RequestStore.current == scope.store)
                _ = try await resource.get()
                throw TestError("mine")
            }
        }
        try await channel.close()
        // The error of a connection, on a connection that is dead: the client left while the handler read.
        await #expect(throws: ChannelError.self) {
            try await withRequestScope(on: channel, observers: [watch]) { _ in
                _ = try await resource.get()
                throw ChannelError.ioOnClosedChannel
            }
        }
        #expect(watch.journal == ["resource current rollback failed", "resource current rollback clientDisconnected"])
    }

    @Test("Rule 19: a connection's error counts as the client's leaving only if its own connection is dead")
    func foreignError() async throws {
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        #expect(await RequestOutcome.Ending(of: ChannelError.ioOnClosedChannel, on: channel).name == "failed")
        #expect(await RequestOutcome.Ending(of: CancellationError(), on: channel).name == "failed")
        let cancelled = await Task {
            withUnsafeCurrentTask { unsafe $0?.cancel() }
            return await RequestOutcome.Ending(of: CancellationError(), on: channel).name
        }.value
        #expect(cancelled == "cancelled")
        try await channel.close()
        #expect(
            await RequestOutcome.Ending(of: ChannelError.ioOnClosedChannel, on: channel).name == "clientDisconnected"
        )
        #expect(await RequestOutcome.Ending(of: TestError(), on: channel).name == "failed")
    }

    @Test("Rule 2: a server started inside a store, with fifty connections at once, keeps its requests apart")
    func isolation() async throws {
        let watch = Watch()
        let handler: TestHandler = { path, _ in
            #expect(name.value == nil)
            try name.set(path)
            await Task.yield()
            return TestResponse { write in
                for _ in 0..<3 {
                    await Task.yield()
                    try await write("\(name.value ?? "-");")
                }
            }
        }
        try await withRequestStore { _ in
            try name.set("outer")
            try await withAsyncServer(observers: [watch], handler) { port in
                try await withThrowingTaskGroup { group in
                    for number in 0..<50 {
                        group.addTask {
                            let client = try await RawClient.connect(to: port)
                            for request in 0..<3 {
                                try await client.get("/\(number)-\(request)")
                                let body = try await client.response().body
                                #expect(body == String(repeating: "/\(number)-\(request);", count: 3))
                            }
                            try await client.close()
                        }
                    }
                    try await group.waitForAll()
                }
                for _ in 0..<150 { _ = await watch.nextOutcome() }
            }
            #expect(name.value == "outer")
        }
        #expect(watch.counts == .init(opened: 150, closed: 150, acquired: 0, released: 0))
    }

    // MARK: - A ChannelHandler

    @Test("A ChannelHandler opens, settles and closes a scope, and its callbacks see the store")
    func callbacks() async throws {
        let watch = Watch()
        let before = watch.resource("before", released: .beforeResponse)
        let after = watch.resource("after")
        let handler: CallbackHandler = { path, eventLoop in
            eventLoop.makeFutureWithTask {
                try name.set(path)
                _ = try await after.get()
                _ = try await before.get()
            }.inRequestStore.flatMap {
                NIOThreadPool.singleton.inRequestStore.runIfActive(eventLoop: eventLoop) { name.value ?? "-" }
            }.flatMapThrowing { text in
                if text == "/throws" { throw TestError() }
                return "\(text) \(try name.require())"
            }
        }
        try await withCallbackServer(observers: [watch], handler) { port in
            let client = try await RawClient.connect(to: port)
            for path in ["/one", "/throws", "/two"] {
                try await client.get(path)
                let response = try await client.response()
                #expect(response.status == (path == "/throws" ? 500 : 200))
                #expect(response.body == (path == "/throws" ? "" : "\(path) \(path)"))
                _ = await watch.nextOutcome()
            }
            try await client.close()
        }
        let committed = ["before current commit completed", "after current commit completed"]
        let rolledBack = ["before current rollback failed", "after current rollback failed"]
        #expect(watch.journal == committed + rolledBack + committed)
        #expect(watch.counts == .init(opened: 3, closed: 3, acquired: 6, released: 6))
    }

    @Test("A ChannelHandler closes the scope of a client that leaves while its handler works")
    func callbackClientLeaves() async throws {
        let watch = Watch()
        let resource = watch.resource("resource")
        let handler: CallbackHandler = { _, eventLoop in
            let never = eventLoop.makePromise(of: String.self)
            // A promise that nobody keeps is an error in NIO: it is kept when all is over.
            let acquired = eventLoop.makeFutureWithTask { _ = try await resource.get() }
            acquired.whenComplete { _ in watch.handlerIsAtWork() }
            Task {
                _ = await watch.nextOutcome()
                never.succeed("nobody reads this")
                watch.note("over")
            }
            return never.futureResult.inRequestStore
        }
        try await withCallbackServer(observers: [watch], handler) { port in
            let client = try await RawClient.connect(to: port)
            try await client.get("/")
            await watch.untilHandlerIsAtWork()
            try await client.reset()
            while !watch.journal.contains("over") { await Task.yield() }
        }
        #expect(watch.journal.first == "resource current commit clientDisconnected")
        #expect(watch.counts == .init(opened: 1, closed: 1, acquired: 1, released: 1))
    }

    @Test("Rule 23: the adapter lists what it cannot hold")
    func unmetGuarantees() {
        #expect(RequestStoreNIO.unmetGuarantees.map(\.rule) == [1, 3, 19, 19, 22])
        #expect(RequestStoreNIO.unmetGuarantees.allSatisfy { !$0.explanation.isEmpty })
    }
}
#endif
