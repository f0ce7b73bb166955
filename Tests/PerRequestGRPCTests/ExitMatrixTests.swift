#if GRPC
import GRPCCore
import PerRequest
import PerRequestGRPC
import Testing
import PerRequestTestSupport

/// Every way out of an RPC, with 0, 1 and 3 resources, in process and over HTTP/2: opened and closed once, released once,
/// last first, with the right outcome, the store current in the release, and nothing held after.
@Suite("Rule 1: the exit matrix of RPCs", .serialized, .timeLimit(.minutes(3)))
struct ExitMatrixTests {
    static let counts = [0, 1, 3]

    /// A service whose methods use `count` resources and leave in all ways.
    struct Fixture: Sendable {
        let watch = Watch()
        let count: Int

        func methods() -> [String: Handler] {
            let resources = (0..<count).map {
                watch.resource("\($0)", released: $0 == 1 ? .beforeResponse : .afterResponse)
            }
            @Sendable func use() async throws { for resource in resources { _ = try await resource.get() } }
            return [
                "Unary": { request, _ in
                    let message = try await onlyMessage(of: request)
                    try await use()
                    return unary("\(message) back")
                },
                "ClientStreaming": { request, _ in
                    try await use()
                    var all: [String] = []
                    for try await message in request.messages { all.append(message) }
                    return unary(all.joined(separator: "+"))
                },
                "ServerStreaming": { request, _ in
                    let message = try await onlyMessage(of: request)
                    try await use()
                    return StreamingServerResponse { writer in
                        #expect(RequestStore.current?.isClosed == false)
                        for number in 0..<3 {
                            await Task.yield()
                            try await writer.write("\(message) \(number)")
                        }
                        return [:]
                    }
                },
                "Bidirectional": { request, _ in
                    StreamingServerResponse { writer in
                        try await use()
                        for try await message in request.messages { try await writer.write("\(message)!") }
                        return ["trailing": "value"]
                    }
                },
                "ThrowsRPCError": { _, _ in
                    try await use()
                    throw RPCError(code: .notFound, message: "no such thing", metadata: ["detail": "here"])
                },
                "ThrowsOther": { _, _ in
                    try await use()
                    throw TestError("handler")
                },
                "ReturnsError": { _, _ in
                    try await use()
                    return StreamingServerResponse(error: RPCError(code: .aborted, message: "no"))
                },
                "ProducerThrows": { _, _ in
                    try await use()
                    return StreamingServerResponse { writer in
                        try await writer.write("part")
                        throw TestError("producer")
                    }
                },
                "Endless": { _, _ in
                    try await use()
                    return StreamingServerResponse { writer in
                        while true {
                            try await writer.write(String(repeating: "x", count: 1_000))
                            await Task.yield()
                        }
                    }
                },
                "UntilCancelled": { _, context in
                    try await use()
                    watch.handlerIsAtWork()
                    try await context.cancellation.cancelled
                    return unary("nobody reads this")
                },
                "UntilTaskIsCancelled": { _, _ in
                    try await use()
                    watch.handlerIsAtWork()
                    try await Task.sleep(for: .seconds(3_600))
                    return unary("nobody reads this")
                },
                "ThrowsWhenCancelled": { _, context in
                    try await use()
                    watch.handlerIsAtWork()
                    try await context.cancellation.cancelled
                    throw RPCError(code: .cancelled, message: "cancelled")
                },
                "ThrowsCancellation": { request, _ in
                    try await use()
                    let isInProducer = try await onlyMessage(of: request) == "producer"
                    guard isInProducer else { throw CancellationError() }
                    return StreamingServerResponse { _ in throw CancellationError() }
                },
                "ReadsToTheEnd": { request, _ in
                    try await use()
                    watch.handlerIsAtWork()
                    for try await _ in request.messages {}
                    return unary("read")
                },
            ]
        }

        func expectReleases(
            _ verdict: RequestOutcome.Verdict,
            before: String,
            _ ending: String,
            sourceLocation: SourceLocation = #_sourceLocation
        ) {
            let order = count == 3 ? ["1", "2", "0"] : (0..<count).reversed().map { "\($0)" }
            let expected = order.map { "\($0) current \(verdict) \($0 == "1" ? before : ending)" }
            #expect(watch.journal == expected, sourceLocation: sourceLocation)
            let counts = Watch.Counts(opened: 1, closed: 1, acquired: count, released: count)
            #expect(watch.counts == counts, sourceLocation: sourceLocation)
        }
    }

    /// Makes an RPC that comes to its end, and checks the outcome, its status as the client sees it, and the releases.
    ///
    /// - Returns: The response's messages and the error.
    @discardableResult
    private func exit(
        _ method: String,
        _ messages: [String] = ["hello"],
        over wire: Wire,
        count: Int,
        status: RPCError.Code?,
        verdict: RequestOutcome.Verdict,
        ending: String,
        interceptors: [any ServerInterceptor] = [RequestStoreInterceptor()]
    ) async throws -> (messages: [String], error: RPCError?, outcome: RequestOutcome?) {
        let fixture = Fixture(count: count)
        let box = Box<(messages: [String], error: RPCError?, outcome: RequestOutcome?)>(([], nil, nil))
        try await withService(
            over: wire,
            fixture.methods(),
            interceptors: interceptors,
            observers: [fixture.watch]
        ) { caller in
            do {
                let received = try await caller.call(method, messages)
                box.update { $0.messages = received }
            } catch let error as RPCError {
                box.update { $0.error = error }
            }
            let outcome = try #require(await fixture.watch.nextOutcome())
            box.update { $0.outcome = outcome }
        }
        let result = box.value
        #expect(result.error?.code == status)
        #expect(result.outcome?.status == .grpc(status?.rawValue ?? 0))
        #expect(result.outcome?.verdict == verdict)
        #expect(result.outcome?.ending.name == ending)
        fixture.expectReleases(verdict, before: ending, ending)
        return result
    }

    @Test("unary", arguments: Wire.allCases, counts)
    func unaryReturns(wire: Wire, count: Int) async throws {
        let result = try await exit(
            "Unary",
            over: wire,
            count: count,
            status: nil,
            verdict: .commit,
            ending: "completed"
        )
        #expect(result.messages == ["hello back"])
    }

    @Test("client streaming", arguments: Wire.allCases, counts)
    func clientStreaming(wire: Wire, count: Int) async throws {
        let result = try await exit(
            "ClientStreaming",
            ["a", "b", "c"],
            over: wire,
            count: count,
            status: nil,
            verdict: .commit,
            ending: "completed"
        )
        #expect(result.messages == ["a+b+c"])
    }

    @Test("server streaming", arguments: Wire.allCases, counts)
    func serverStreaming(wire: Wire, count: Int) async throws {
        let result = try await exit(
            "ServerStreaming",
            over: wire,
            count: count,
            status: nil,
            verdict: .commit,
            ending: "completed"
        )
        #expect(result.messages == ["hello 0", "hello 1", "hello 2"])
    }

    @Test("bidirectional streaming", arguments: Wire.allCases, counts)
    func bidirectional(wire: Wire, count: Int) async throws {
        let result = try await exit(
            "Bidirectional",
            ["a", "b"],
            over: wire,
            count: count,
            status: nil,
            verdict: .commit,
            ending: "completed"
        )
        #expect(result.messages == ["a!", "b!"])
    }

    @Test("a method that nobody implements", arguments: Wire.allCases)
    func unimplemented(wire: Wire) async throws {
        let result = try await exit(
            "Nothing",
            over: wire,
            count: 0,
            status: .unimplemented,
            verdict: .rollback,
            ending: "failed"
        )
        guard case .failed(let error) = result.outcome?.ending else { return }
        #expect((error as? RPCError)?.code == .unimplemented)
    }

    @Test("throws an RPCError, with and without the interceptor", arguments: Wire.allCases, [false, true])
    func throwsRPCError(wire: Wire, intercepts: Bool) async throws {
        let result = try await exit(
            "ThrowsRPCError",
            over: wire,
            count: 3,
            status: .notFound,
            verdict: .rollback,
            ending: "failed",
            interceptors: intercepts ? [RequestStoreInterceptor()] : []
        )
        let expected = RPCError(code: .notFound, message: "no such thing", metadata: ["detail": "here"])
        #expect(result.error?.message == expected.message)
        #expect(result.error?.metadata[stringValues: "detail"].first { _ in true } == "here")
        guard case .failed(let error) = result.outcome?.ending else { return }
        #expect(error as? RPCError == expected)
    }

    @Test("throws another error", arguments: Wire.allCases, counts)
    func throwsOther(wire: Wire, count: Int) async throws {
        let result = try await exit(
            "ThrowsOther",
            over: wire,
            count: count,
            status: .unknown,
            verdict: .rollback,
            ending: "failed"
        )
        guard case .failed(let error) = result.outcome?.ending else { return }
        #expect(error as? TestError == TestError("handler"))
    }

    @Test("throws another error, without the interceptor", arguments: Wire.allCases)
    func throwsOtherWithoutInterceptor(wire: Wire) async throws {
        let result = try await exit(
            "ThrowsOther",
            over: wire,
            count: 3,
            status: .unknown,
            verdict: .rollback,
            ending: "failed",
            interceptors: []
        )
        guard case .failed(let error) = result.outcome?.ending else { return }
        #expect((error as? RPCError)?.code == .unknown)
    }

    @Test("returns an error", arguments: Wire.allCases, counts)
    func returnsError(wire: Wire, count: Int) async throws {
        try await exit(
            "ReturnsError",
            over: wire,
            count: count,
            status: .aborted,
            verdict: .rollback,
            ending: "failed"
        )
    }

    @Test("the producer throws after a message", arguments: Wire.allCases, counts)
    func producerThrows(wire: Wire, count: Int) async throws {
        let result = try await exit(
            "ProducerThrows",
            over: wire,
            count: count,
            status: .unknown,
            verdict: .rollback,
            ending: "failed"
        )
        guard case .failed(let error) = result.outcome?.ending else { return }
        #expect(error as? TestError == TestError("producer"))
    }

    // MARK: - Cancellation

    @Test("the client cancels while a stream is written", arguments: counts)
    func clientCancelsStream(count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withService(over: .http2, fixture.methods(), observers: [fixture.watch]) { caller in
            let started = AsyncStream<Void>.makeStream()
            let call = Task {
                defer { started.continuation.finish() }
                return try await caller.stream("Endless") {
                    try await $0.write("go")
                } consume: { response in
                    for try await _ in response.messages { started.continuation.finish() }
                    return []
                }
            }
            for await _ in started.stream {}
            call.cancel()
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == .rollback, "the producer threw what writing threw")
            #expect(outcome.ending.name == "clientDisconnected")
            _ = try? await call.value
        }
        fixture.expectReleases(.rollback, before: "clientDisconnected", "clientDisconnected")
    }

    @Test("the client cancels, and the handler throws", arguments: counts)
    func clientCancelsHandler(count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withService(over: .http2, fixture.methods(), observers: [fixture.watch]) { caller in
            let call = Task { try await caller.call("ThrowsWhenCancelled") }
            await fixture.watch.untilHandlerIsAtWork()
            call.cancel()
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == .rollback)
            #expect(outcome.ending.name == "clientDisconnected")
            _ = try? await call.value
        }
        fixture.expectReleases(.rollback, before: "clientDisconnected", "clientDisconnected")
    }

    @Test("the client cancels, and the handler returns: its response cannot be written", arguments: counts)
    func clientCancelsReturning(count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withService(over: .http2, fixture.methods(), observers: [fixture.watch]) { caller in
            let call = Task { try await caller.call("UntilCancelled") }
            await fixture.watch.untilHandlerIsAtWork()
            call.cancel()
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.ending.name == "clientDisconnected")
            // gRPC makes a status that is not OK of a write that fails, if it notices in time.
            fixture.expectReleases(
                outcome.verdict,
                before: outcome.verdict == .rollback ? "clientDisconnected" : "completed",
                "clientDisconnected"
            )
            _ = try? await call.value
        }
    }

    @Test("the client cancels in the middle of its messages, which gRPC Swift's client then ends", arguments: counts)
    func clientCancelsUpload(count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withService(over: .http2, fixture.methods(), observers: [fixture.watch]) { caller in
            let call = Task {
                try await caller.stream("ReadsToTheEnd") { writer in
                    try await writer.write("one")
                    try await Task.sleep(for: .seconds(3_600))
                } consume: { response in
                    for try await _ in response.messages {}
                    return []
                }
            }
            await fixture.watch.untilHandlerIsAtWork()
            call.cancel()
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(["clientDisconnected", "completed"].contains(outcome.ending.name), "as it is listed")
            _ = try? await call.value
        }
        #expect(fixture.watch.counts == .init(opened: 1, closed: 1, acquired: count, released: count))
    }

    @Test("throws a CancellationError of its own", arguments: Wire.allCases, ["handler", "producer"])
    func ownCancellation(wire: Wire, place: String) async throws {
        let result = try await exit(
            "ThrowsCancellation",
            [place],
            over: wire,
            count: 3,
            status: .unknown,
            verdict: .rollback,
            ending: "failed"
        )
        guard case .failed(let error) = result.outcome?.ending else { return }
        #expect(error is CancellationError)
    }

    @Test("the connection is lost while a stream is written", arguments: counts, [false, true])
    func connectionLost(count: Int, reset: Bool) async throws {
        let fixture = Fixture(count: count)
        let relay = Relay()
        try await withService(over: .http2, fixture.methods(), observers: [fixture.watch], relay: relay) { caller in
            let started = AsyncStream<Void>.makeStream()
            let call = Task {
                defer { started.continuation.finish() }
                return try await caller.stream("Endless") {
                    try await $0.write("go")
                } consume: { response in
                    for try await _ in response.messages { started.continuation.finish() }
                    return []
                }
            }
            for await _ in started.stream {}
            try await relay.cut(reset: reset)
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == .rollback)
            #expect(outcome.ending.name == "clientDisconnected")
            call.cancel()
            _ = try? await call.value
        }
        fixture.expectReleases(.rollback, before: "clientDisconnected", "clientDisconnected")
    }

    @Test("the connection is lost while the handler, or the producer, reads", arguments: Cut.all, counts)
    func connectionLostWhileReading(cut: Cut, count: Int) async throws {
        let fixture = Fixture(count: count)
        let relay = Relay()
        try await withService(over: .http2, fixture.methods(), observers: [fixture.watch], relay: relay) { caller in
            let answered = AsyncStream<Void>.makeStream()
            let call = Task {
                try await caller.stream(cut.method) { writer in
                    try await writer.write("one")
                    try await Task.sleep(for: .seconds(3_600))
                } consume: { response in
                    for try await _ in response.messages { answered.continuation.finish() }
                    return []
                }
            }
            if cut.method == "ReadsToTheEnd" {
                await fixture.watch.untilHandlerIsAtWork()
            } else {
                for await _ in answered.stream {}
            }
            try await relay.cut(reset: cut.isReset)
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == .rollback)
            #expect(outcome.ending.name == "clientDisconnected")
            call.cancel()
            _ = try? await call.value
        }
        fixture.expectReleases(.rollback, before: "clientDisconnected", "clientDisconnected")
    }

    /// A connection that is cut while a method reads.
    struct Cut {
        let method: String
        let isReset: Bool

        static let all = ["ReadsToTheEnd", "Bidirectional"].flatMap { method in
            [true, false].map { Cut(method: method, isReset: $0) }
        }
    }

    @Test("the deadline passes", arguments: Wire.allCases, counts)
    func deadline(wire: Wire, count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withService(over: wire, fixture.methods(), observers: [fixture.watch]) { caller in
            // The server's half of a deadline: a client that has one too may leave before its RPC began.
            let error = await #expect(throws: RPCError.self) {
                try await caller.call("ThrowsWhenCancelled", metadata: ["grpc-timeout": "50m"])
            }
            #expect(error?.code == .cancelled)
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == .rollback)
            #expect(outcome.ending.name == "cancelled")
        }
        fixture.expectReleases(.rollback, before: "cancelled", "cancelled")
    }

    @Test("the server shuts down gracefully and cancels the RPC", arguments: Wire.allCases, counts)
    func gracefulShutdown(wire: Wire, count: Int) async throws {
        let fixture = Fixture(count: count)
        try await withService(over: wire, fixture.methods(), observers: [fixture.watch]) { caller in
            let call = Task { try await caller.call("ThrowsWhenCancelled") }
            await fixture.watch.untilHandlerIsAtWork()
            caller.beginGracefulShutdown()
            let outcome = try #require(await fixture.watch.nextOutcome())
            #expect(outcome.verdict == .rollback)
            #expect(outcome.ending.name == "cancelled")
            _ = try? await call.value
        }
        fixture.expectReleases(.rollback, before: "cancelled", "cancelled")
    }

    @Test("the server's task is cancelled", arguments: Wire.allCases, counts)
    func serverCancelled(wire: Wire, count: Int) async throws {
        let fixture = Fixture(count: count)
        let server = Task {
            try await withService(over: wire, fixture.methods(), observers: [fixture.watch]) { caller in
                _ = try? await caller.call("UntilTaskIsCancelled")
            }
        }
        await fixture.watch.untilHandlerIsAtWork()
        server.cancel()
        let outcome = try #require(await fixture.watch.nextOutcome())
        #expect(outcome.ending.name == "cancelled")
        #expect(outcome.verdict == .rollback)
        _ = try? await server.value
        fixture.expectReleases(.rollback, before: "cancelled", "cancelled")
    }
}
#endif
