#if NIO
import NIOCore
import NIOHTTP1
import PerRequest
import PerRequestNIO
import PerRequestTestSupport
import Testing

/// A client that leaves, wherever that comes out as an error, and what only looks like it.
@Suite("Rule 19: a client that leaves is told from every other end", .timeLimit(.minutes(3)))
struct ClientLeavingTests {
    struct Departing {
        let leaving: Leaving
        let allowsHalfClosure: Bool

        static let all = Leaving.allCases.flatMap { leaving in
            [true, false].map { Departing(leaving: leaving, allowsHalfClosure: $0) }
        }
    }

    /// The errors in which a client's leaving comes out.
    enum Failure: CaseIterable {
        case cancellation, channel, framing

        var error: any Error {
            switch self {
            case .cancellation: CancellationError()
            case .channel: ChannelError.inputClosed
            case .framing: HTTPParserError.invalidEOFState
            }
        }
    }

    /// Notes that the client has left, however it did.
    private final class Departure: ChannelInboundHandler, Sendable {
        typealias InboundIn = Any

        private let left: EventLoopPromise<Void>

        init(_ left: EventLoopPromise<Void>) { self.left = left }

        static func wait(on channel: any Channel, _ isWaiting: () async throws -> Void) async throws {
            let left = channel.eventLoop.makePromise(of: Void.self)
            try await channel.pipeline.addHandler(Departure(left))
            try await isWaiting()
            try await left.futureResult.get()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed = event { left.succeed() }
            context.fireUserInboundEventTriggered(event)
        }

        func channelInactive(context: ChannelHandlerContext) {
            left.succeed()
            context.fireChannelInactive()
        }
    }

    private func expect(
        _ ending: String,
        _ verdict: RequestOutcome.Verdict,
        allowsHalfClosure: Bool = true,
        of handler: @escaping @Sendable (any Channel, Watch) async throws -> TestResponse,
        then leave: (RawClient, Watch) async throws -> Void
    ) async throws {
        let watch = Watch()
        let use = watch.useBoth()
        let using: TestHandler = { _, channel in
            try await use()
            return try await handler(channel, watch)
        }
        try await withAsyncServer(observers: [watch], allowsHalfClosure: allowsHalfClosure, using) { port in
            let client = try await RawClient.connect(to: port)
            try await client.get("/")
            try await leave(client, watch)
            let outcome = try #require(await watch.nextOutcome())
            #expect(outcome.ending.name == ending)
            #expect(outcome.verdict == verdict)
            try? await client.close()
        }
        #expect(watch.journal == Watch.journal(ofBoth: ending, verdict))
        #expect(watch.counts == .ofBoth)
    }

    @Test("in `httpResponse`", arguments: Departing.all, Failure.allCases)
    func handler(departing: Departing, failure: Failure) async throws {
        try await expect("clientDisconnected", .rollback, allowsHalfClosure: departing.allowsHalfClosure) {
            channel,
            watch in
            try await Departure.wait(on: channel) { watch.handlerIsAtWork() }
            throw failure.error
        } then: { client, watch in
            await watch.untilHandlerIsAtWork()
            try await departing.leaving.perform(client)
        }
    }

    @Test("a handler behind the one that watches for it hears of it as well")
    func watched() async throws {
        try await expect("clientDisconnected", .rollback) { channel, watch in
            try await channel.pipeline.addHandler(PeerWatch())
            try await Departure.wait(on: channel) { watch.handlerIsAtWork() }
            throw CancellationError()
        } then: { client, watch in
            await watch.untilHandlerIsAtWork()
            try await client.close()
        }
    }

    @Test("after it, in `withRequestScope`", arguments: Departing.all, Failure.allCases)
    func body(departing: Departing, failure: Failure) async throws {
        try await expect("clientDisconnected", .commit, allowsHalfClosure: departing.allowsHalfClosure) { channel, _ in
            TestResponse { write in
                try await Departure.wait(on: channel) { try await write("part;") }
                throw failure.error
            }
        } then: { client, _ in
            _ = try await client.read(through: "part;")
            try await departing.leaving.perform(client)
        }
    }

    @Test("the same errors are failures while the client is there", arguments: Failure.allCases, [true, false])
    func clientIsThere(failure: Failure, isInBody: Bool) async throws {
        try await expect("failed", isInBody ? .commit : .rollback) { _, _ in
            guard isInBody else { throw failure.error }
            return TestResponse { _ in throw failure.error }
        } then: { _, _ in
        }
    }

    @Test("an error of the handler's own is a failure, also when its client has left", arguments: Leaving.allCases)
    func ownError(leaving: Leaving) async throws {
        try await expect("failed", .rollback) { channel, watch in
            try await Departure.wait(on: channel) { watch.handlerIsAtWork() }
            throw TestError()
        } then: { client, watch in
            await watch.untilHandlerIsAtWork()
            try await leaving.perform(client)
        }
    }
}
#endif
