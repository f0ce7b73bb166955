#if NIO
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import PerRequest
import PerRequestAdapters
import PerRequestNIO
import PerRequestTestSupport
import Synchronization
import Testing

private let user = RequestLocal<String>("user", default: "nobody")

/// What the conformance suite does not reach: its handlers are asynchronous.
@Suite("Servers that think in futures", .timeLimit(.minutes(3)))
struct FutureServerTests {
    private func serve(
        _ watch: Watch,
        last: RequestStoreMiddleware? = RequestStoreMiddleware(collects: 1 << 14),
        _ handler: @escaping @Sendable (Request) throws -> EventLoopFuture<Response>,
        _ body: (RawClient) async throws -> Void
    ) async throws {
        let app = Application(BasicResponder(closure: handler))
        app.middleware.use(ErrorMiddleware { _, _ in Response(status: .conflict) })
        app.useRequestStore(observers: [watch])
        if let last { app.middleware.use(last) }
        try await app.run { port in
            let client = try await RawClient.connect(to: port)
            try await body(client)
            try await client.close()
        }
    }

    /// A handler that Vapor calls synchronously, from the future of the body.
    private func synchronous(
        _ handler: @escaping @Sendable (Request, ByteBuffer?) throws -> Response
    ) -> @Sendable (Request) -> EventLoopFuture<Response> {
        { request in request.body.collect(max: nil).flatMapThrowing { try handler(request, $0) } }
    }

    private let post = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"

    @Test("a synchronous handler that is called from the body's future sees the store, when the body comes late")
    func synchronousHandler() async throws {
        let watch = Watch()
        try await serve(
            watch,
            synchronous { request, body in
                #expect(RequestStore.current == request.requestStore && RequestStore.current != nil)
                try user.set(body.map { String(buffer: $0) } ?? "-")
                return Response(body: .init(string: user.value))
            }
        ) { client in
            for _ in 0..<3 {
                try await client.send(post)
                try await client.send("alice")
                #expect(try await client.response().body == "alice")
                #expect(await watch.nextOutcome()?.verdict == .commit)
            }
        }
        #expect(watch.counts == .init(opened: 3, closed: 3))
    }

    @Test("without the middleware next to the route it does not: this test can fail")
    func withoutMiddleware() async throws {
        try await serve(
            Watch(),
            last: nil,
            synchronous { request, _ in
                #expect(RequestStore.current == nil && request.requestStore != nil)
                return Response()
            }
        ) { client in
            try await client.send(post)
            try await client.send("alice")
            #expect(try await client.response().status == 200)
        }
    }

    @Test("what a synchronous handler throws rolls back, whatever response is made of it")
    func synchronousThrow() async throws {
        let watch = Watch()
        try await serve(watch, synchronous { _, _ in throw TestError("mine") }) { client in
            try await client.get("/")
            #expect(try await client.response().status == 409)
            let outcome = try #require(await watch.nextOutcome())
            #expect(outcome.verdict == .rollback && outcome.ending.name == "failed" && outcome.status == .http(409))
        }
    }

    @Test("a responder's futures, from another event loop too: the middleware outside sees the store")
    func otherEventLoop() async throws {
        let watch = Watch()
        let resource = watch.resource("resource")
        let group = MultiThreadedEventLoopGroup.singleton
        try await serve(watch) { request in
            let other = group.next()
            return request.eventLoop.makeFutureWithTask { _ = try await resource.get() }.inRequestStore
                .flatMap {
                    other.inRequestStore.submit {
                        try user.set("other"); return user.value
                    }
                }
                .map { Response(body: .init(string: $0)) }.future
        } _: { client in
            try await client.get("/")
            #expect(try await client.response().body == "other")
            #expect(await watch.nextOutcome()?.verdict == .commit)
        }
        #expect(watch.journal == ["resource current commit completed"])
    }

    @Test("a body that is written by callbacks holds its request open until the last byte")
    func callbackBody() async throws {
        let watch = Watch()
        let resource = watch.resource("resource")
        let isReading = Watch()
        try await serve(watch) { request in
            request.eventLoop.makeFutureWithTask {
                _ = try await resource.get()
                return Response(
                    body: .init(stream: { writer in
                        let snapshot = RequestSnapshot()
                        writer.write(.buffer(ByteBuffer(string: "one;")), promise: nil)
                        let read = writer.eventLoop.makePromise(of: Void.self)
                        Task.detached {
                            await isReading.untilHandlerIsAtWork()
                            read.succeed()
                        }
                        read.futureResult.inRequestStore(of: snapshot).whenComplete { _ in
                            #expect(RequestStore.current?.isClosed == false && resource.valueIfHeld == "resource")
                            writer.write(.buffer(ByteBuffer(string: "two;")), promise: nil)
                            writer.write(.end, promise: nil)
                        }
                    })
                )
            }
        } _: { client in
            try await client.get("/")
            _ = try await client.read(through: "one;")
            #expect(watch.counts.closed == 0)
            isReading.handlerIsAtWork()
            _ = try await client.read(through: "two;")
            #expect(await watch.nextOutcome()?.ending.name == "completed")
        }
        #expect(watch.journal == ["resource current commit completed"])
    }

    @Test("the owner is neither current in the handler nor in that of the next request, which comes while it writes")
    func nextRequest() async throws {
        let watch = Watch()
        let handler: @Sendable (Request) -> EventLoopFuture<Response> = { request in
            #expect(RequestScopeOwner.current == nil)
            return request.eventLoop.makeFutureWithTask {
                #expect(RequestScopeOwner.current == nil)
                if request.path == "/second" { #expect(await watch.nextOutcome()?.ending.name == "completed") }
                return Response(body: .init(string: request.path))
            }
        }
        try await serve(watch, handler) { client in
            try await client.send(pipelined)
            // The second one waits until the first one has closed.
            #expect(try await client.response().body == "/first")
            #expect(try await client.response().body == "/second")
        }
    }

    @Test("a pipelined request whose code has no store does not see that of the one before", arguments: [true, false])
    func pipelinedWithoutStore(isStreamed: Bool) async throws {
        let handler = synchronous { request, _ in
            #expect(RequestStore.current == nil && RequestScopeOwner.current == nil)
            guard isStreamed else { return Response(body: .init(string: request.path)) }
            return Response(
                body: .init(requestStream: { writer in
                    #expect(RequestStore.current == request.requestStore && RequestScopeOwner.current != nil)
                    try await writer.write(.buffer(ByteBuffer(string: request.path)))
                })
            )
        }
        try await serve(Watch(), last: nil, handler) { client in
            try await client.send(pipelined)
            #expect(try await client.response().body == "/first")
            #expect(try await client.response().body == "/second")
        }
    }

    private var pipelined: String {
        ["/first", "/second"].map { "GET \($0) HTTP/1.1\r\nHost: localhost\r\n\r\n" }.joined()
    }

    @Test("a request that uses nothing, and that nobody observes, settles and closes on the event loop at once")
    func noTasks() async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let isAtOnce = try await eventLoop.submit {
            let scope = RequestScope()
            let owner = RequestScopeOwner(RequestScope())
            let response = owner.httpResponse(on: eventLoop) {
                eventLoop.makeSucceededFuture(200)
            } status: {
                $0
            } isStreamed: { _ in
                false
            } failure: { _, code in
                code
            }
            return [
                scope.settle(on: eventLoop).isComplete, scope.close(on: eventLoop).isComplete, scope.store.isClosed,
                response.isComplete,
            ]
        }.get()
        #expect(isAtOnce == [true, true, true, true])
    }

    @Test("the ending of an error where there is no channel")
    func endings() async {
        func name(_ error: any Error, _ isDead: Bool) -> String {
            RequestOutcome.Ending(of: error, isConnectionDead: isDead).name
        }
        #expect(name(ChannelError.ioOnClosedChannel, true) == "clientDisconnected")
        #expect(name(ChannelError.ioOnClosedChannel, false) == "failed")
        #expect(name(TestError(), true) == "failed")
        #expect(name(CancellationError(), true) == "clientDisconnected")
        #expect(name(CancellationError(), false) == "failed")
        let cancelled = await Task {
            withUnsafeCurrentTask { unsafe $0?.cancel() }
            return (name(CancellationError(), true), name(ChannelError.inputClosed, false))
        }.value
        #expect(cancelled == ("cancelled", "cancelled"))
    }

    @Test("the guide shows the adapter that is tested here")
    func guide() throws {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        func text(_ path: String) throws -> String {
            try String(contentsOf: root.appending(path: path), encoding: .utf8)
        }
        let file = try text("Tests/PerRequestNIOTests/Futures/RequestStore+Futures.swift")
        let adapter = try #require(
            file.components(separatedBy: "// begin\n").last?.components(separatedBy: "// end").first
        )
        let page = try text("Sources/PerRequest/PerRequest.docc/VaporAndOtherFutureStyleFrameworks.md")
        #expect(page.contains(adapter))
        #expect(adapter.split(separator: "\n", omittingEmptySubsequences: false).count < 120)
        let words = page.split { $0.isWhitespace }.joined(separator: " ")
        for entry in FutureServer.unmetGuarantees { #expect(words.contains("- \(entry.explanation)")) }
    }
}

extension EventLoopFuture {
    /// Whether it is complete; to be asked on its event loop.
    fileprivate var isComplete: Bool {
        let isComplete = Lock(false)
        whenComplete { _ in isComplete.withLock { $0 = true } }
        return isComplete.withLock { $0 }
    }
}
#endif
