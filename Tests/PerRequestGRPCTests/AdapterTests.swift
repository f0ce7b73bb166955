#if GRPC
import GRPCCore
import GRPCInProcessTransport
import PerRequest
import PerRequestAdapters
import PerRequestGRPC
import Testing
import PerRequestTestSupport

private let name = RequestLocal<String?>("name")

/// Runs closures around the next interceptor.
private struct Around: ServerInterceptor {
    var before: @Sendable () throws -> Void = {}
    var after: @Sendable (inout RPCError?) -> Void = { _ in }

    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>,
        context: ServerContext,
        next:
            @Sendable @concurrent (StreamingServerRequest<Input>, ServerContext) async throws
            -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        try before()
        var response = try await next(request, context)
        var error: RPCError?
        if case .failure(let failure) = response.accepted { error = failure }
        after(&error)
        if case .failure = response.accepted, error == nil {
            response = StreamingServerResponse(metadata: [:]) { _ in [:] }
        }
        return response
    }
}

@Suite("The gRPC adapter", .serialized, .timeLimit(.minutes(3)))
struct AdapterTests {
    @Test(
        "Rule 3: the store is current in set-up, interceptors both ways, handler, producer and releases",
        arguments: Wire.allCases
    )
    func currency(wire: Wire) async throws {
        let watch = Watch()
        let resource = RequestResource("resource") {
            name.value
        } release: { _, _ in
            watch.note("release \(name.value ?? "-")")
        }
        let before = RequestResource("before", released: .beforeResponse) {
            name.value
        } release: { _, _ in
            watch.note("before \(name.value ?? "-")")
        }
        let interceptors: [any ServerInterceptor] = [
            RequestStoreInterceptor { metadata, context in
                #expect(CurrentRPC.context?.descriptor == context.descriptor)
                try name.set(metadata[stringValues: "name"].first { _ in true })
            },
            Around(
                before: { watch.note("in \(name.value ?? "-")") },
                after: { _ in watch.note("out \(name.value ?? "-")") }
            ),
        ]
        let methods: [String: Handler] = [
            "Stream": { _, _ in
                _ = try await resource.get()
                _ = try await before.get()
                let inHandler = name.value ?? "-"
                return StreamingServerResponse { writer in
                    await Task.yield()
                    let fromMetadata = CurrentRPC.metadata?[stringValues: "name"].first { _ in true } ?? "-"
                    try await writer.write("\(inHandler) \(name.value ?? "-") \(fromMetadata)")
                    watch.note("producer \(name.value ?? "-")")
                    return [:]
                }
            }
        ]
        try await withService(over: wire, methods, interceptors: interceptors, observers: [watch]) { caller in
            let seen = try await caller.call("Stream", metadata: ["name": "alice"])
            #expect(seen == ["alice alice alice"])
            _ = await watch.nextOutcome()
        }
        #expect(watch.journal == ["in alice", "out alice", "producer alice", "before alice", "release alice"])
        #expect(CurrentRPC.context == nil)
    }

    @Test("Rule 2: a server started inside a store keeps its RPCs apart", arguments: Wire.allCases)
    func serverInsideStore(wire: Wire) async throws {
        let methods: [String: Handler] = [
            "Get": { _, _ in
                let seen = name.value ?? "nothing"
                try name.set("rpc")
                return unary("\(seen) \(RequestStore.current?.id ?? "-")")
            }
        ]
        try await withRequestStore { outer in
            try name.set("outer")
            try await withService(over: wire, methods) { caller in
                var ids = Set<String>()
                for _ in 0..<3 {
                    let words = try await caller.call("Get").joined().split(separator: " ").map(String.init)
                    #expect(words.first == "nothing")
                    ids.insert(words.last ?? "")
                }
                #expect(ids.count == 3)
                #expect(!ids.contains(outer.id))
            }
            #expect(name.value == "outer")
        }
    }

    @Test("Rule 2: a hundred RPCs at once see their own values, in handler and producer", arguments: Wire.allCases)
    func isolation(wire: Wire) async throws {
        let watch = Watch()
        let resource = RequestResource("resource") {
            name.value ?? "-"
        } release: { value, _ in
            #expect(value == name.value)
        }
        let methods: [String: Handler] = [
            "Echo": { request, _ in
                try name.set(try await onlyMessage(of: request))
                await Task.yield()
                _ = try await resource.get()
                return StreamingServerResponse { writer in
                    for _ in 0..<3 {
                        await Task.yield()
                        try await writer.write("\(try await resource.get()) \(name.value ?? "-")")
                    }
                    return [:]
                }
            }
        ]
        try await withService(over: wire, methods, observers: [watch]) { caller in
            try await withThrowingTaskGroup { group in
                for number in 0..<100 {
                    group.addTask {
                        let seen = try await caller.call("Echo", ["n\(number)"])
                        #expect(seen == Array(repeating: "n\(number) n\(number)", count: 3))
                    }
                }
                try await group.waitForAll()
            }
            for _ in 0..<100 { _ = await watch.nextOutcome() }
        }
        #expect(watch.counts == .init(opened: 100, closed: 100, acquired: 100, released: 100))
    }

    @Test("Rule 6: what a store held is gone when its RPC is over", arguments: Wire.allCases)
    func nothingLeaks(wire: Wire) async throws {
        final class Held: Sendable {}
        let held = RequestLocal<Held?>("held")
        let weakHeld = Box<@Sendable () -> Bool>({ true })
        let store = Box<RequestStore?>(nil)
        let watch = Watch()
        let methods: [String: Handler] = [
            "Hold": { _, _ in
                let object = Held()
                try held.set(object)
                store.update { $0 = RequestStore.current }
                weakHeld.update { [weak object] in $0 = { [weak object] in object == nil } }
                return unary("held")
            }
        ]
        try await withService(over: wire, methods, observers: [watch]) { caller in
            _ = try await caller.call("Hold")
            _ = await watch.nextOutcome()
        }
        #expect(weakHeld.value())
        #expect(store.value?.isClosed == true)
        #expect(watch.counts == .init(opened: 1, closed: 1, acquired: 0, released: 0))
    }

    // MARK: - The verdict

    @Test("Rule 15: an error that an interceptor maps to OK rolls back", arguments: Wire.allCases)
    func mappedToOK(wire: Wire) async throws {
        let watch = Watch()
        let resource = watch.resource("resource", released: .beforeResponse)
        let interceptors: [any ServerInterceptor] = [Around(after: { $0 = nil }), RequestStoreInterceptor()]
        let methods: [String: Handler] = [
            "Throws": { _, _ in
                _ = try await resource.get()
                throw TestError()
            }
        ]
        try await withService(over: wire, methods, interceptors: interceptors, observers: [watch]) { caller in
            let seen = try await caller.call("Throws")
            #expect(seen == [])
            let outcome = try #require(await watch.nextOutcome())
            #expect(outcome.status == .grpc(0))
            #expect(outcome.verdict == .rollback)
        }
        #expect(watch.journal == ["resource current rollback failed"])
    }

    @Test("Rule 15: `fail` rolls back although the status is OK", arguments: Wire.allCases)
    func failed(wire: Wire) async throws {
        let watch = Watch()
        let resource = watch.resource("resource", released: .beforeResponse)
        let methods: [String: Handler] = [
            "Fails": { _, _ in
                _ = try await resource.get()
                RequestStore.current?.fail(TestError())
                return unary("fine")
            }
        ]
        try await withService(over: wire, methods, observers: [watch]) { caller in
            let seen = try await caller.call("Fails")
            #expect(seen == ["fine"])
            #expect(await watch.nextOutcome()?.ending.name == "failed")
        }
        #expect(watch.journal == ["resource current rollback failed"])
    }

    @Test("Rule 16: a commit that fails is internalError, one that overruns is unavailable", arguments: Wire.allCases)
    func failingCommit(wire: Wire) async throws {
        let watch = Watch()
        let first = watch.resource("first", released: .beforeResponse)
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
        let reports = Box<[String]>([])
        let methods: [String: Handler] = [
            "Fails": { _, _ in
                _ = try await first.get()
                try await failing.get()
                return unary("committed?", trailing: ["etag": "new"])
            },
            "Hangs": { _, _ in
                _ = try await first.get()
                try await hanging.get()
                return unary("committed?")
            },
        ]
        try await withService(
            over: wire,
            methods,
            observers: [watch],
            report: { report in reports.update { $0.append("\(report)") } }
        ) { caller in
            for (method, code) in [("Fails", RPCError.Code.internalError), ("Hangs", .unavailable)] {
                let error = await #expect(throws: RPCError.self) { try await caller.call(method) }
                #expect(error?.code == code)
                #expect(error?.metadata[stringValues: "etag"].contains { _ in true } == false)
                let outcome = try #require(await watch.nextOutcome())
                #expect(outcome.verdict == .rollback)
                #expect(outcome.status == .grpc(code.rawValue))
            }
        }
        #expect(watch.journal.prefix(2) == ["failing commit", "first current rollback completed"])
        #expect(watch.journal.count == 3)
        #expect(reports.value.first?.contains("failing") == true)
        #expect(reports.value.last?.contains("hanging") == true)
    }

    @Test("Rule 1: the commit has happened when the client sees OK", arguments: Wire.allCases)
    func commitBeforeStatus(wire: Wire) async throws {
        let watch = Watch()
        let transaction = RequestResource("transaction", released: .beforeResponse) {
        } release: { _, _ in
            for _ in 0..<10 { await Task.yield() }
            watch.note("commit")
        }
        let methods: [String: Handler] = [
            "Insert": { _, _ in
                try await transaction.get()
                return unary("inserted")
            }
        ]
        try await withService(over: wire, methods) { caller in
            for number in 1...20 {
                _ = try await caller.call("Insert")
                #expect(watch.journal.count == number)
            }
        }
    }

    // MARK: - Errors

    @Test("Rule 1: a status that is written with other parts settles as well", arguments: [true, false])
    func writtenTogether(_ isTogether: Bool) async throws {
        let watch = Watch()
        let before = watch.resource("before", released: .beforeResponse)
        let transport = InProcessTransport()
        let server = RequestStoreTransport(transport.server, observers: [watch])
        let client = transport.client
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await server.listen { stream, _ in
                    do {
                        _ = try await before.get()
                        try await stream.outbound.write(contentsOf: isTogether ? [] : [.metadata([:])])
                        watch.note("metadata")
                        let status = RPCResponsePart<[UInt8]>.status(Status(code: .ok, message: ""), [:])
                        try await stream.outbound.write(contentsOf: isTogether ? [.metadata([:]), status] : [status])
                        watch.note("status")
                    } catch {
                        watch.note("\(error)")
                    }
                    await stream.outbound.finish()
                }
            }
            group.addTask { try await client.connect() }
            let method = MethodDescriptor(fullyQualifiedService: TestService.name, method: "Get")
            let count = try await client.withStream(descriptor: method, options: .defaults) { stream, _ in
                await stream.outbound.finish()
                return try await stream.inbound.reduce(into: 0) { count, _ in count += 1 }
            }
            #expect(count == 2)
            client.beginGracefulShutdown()
            server.beginGracefulShutdown()
            try await group.waitForAll()
        }
        #expect(watch.journal == ["metadata", "before current commit completed", "status"])
    }

    @Test("A resource that cannot be acquired in time is unavailable; a mistake is an internalError")
    func storeErrors() async throws {
        let hanging = RequestResource("hanging", limits: .init(acquire: .milliseconds(20))) {
            try await Task.sleep(for: .seconds(3_600))
        } release: { _, _ in
        }
        let methods: [String: Handler] = [
            "Hangs": { _, _ in
                try await hanging.get()
                return unary("-")
            },
            "Requires": { _, _ in unary(try name.require()) },
        ]
        try await withService(over: .inProcess, methods) { caller in
            for (method, code) in [("Hangs", RPCError.Code.unavailable), ("Requires", .internalError)] {
                let error = await #expect(throws: RPCError.self) { try await caller.call(method) }
                #expect(error?.code == code)
                #expect(error?.message.contains("name") == false, "what went wrong is for the log")
            }
        }
    }

    @Test("What the set-up throws fails the RPC, and rolls back", arguments: Wire.allCases)
    func setUpThrows(wire: Wire) async throws {
        let watch = Watch()
        let interceptor = RequestStoreInterceptor { _, _ in
            throw RPCError(code: .unauthenticated, message: "who are you?")
        }
        let methods: [String: Handler] = ["Get": { _, _ in unary("-") }]
        try await withService(over: wire, methods, interceptors: [interceptor], observers: [watch]) { caller in
            let error = await #expect(throws: RPCError.self) { try await caller.call("Get") }
            #expect(error?.code == .unauthenticated)
            #expect(await watch.nextOutcome()?.verdict == .rollback)
        }
    }

    @Test("The interceptor without the transport fails every RPC and says what is missing")
    func missingTransport() async throws {
        let transport = InProcessTransport()
        try await withGRPCServer(
            transport: transport.server,
            services: [TestService(methods: ["Get": { _, _ in unary("-") }])],
            interceptors: [RequestStoreInterceptor()]
        ) { server in
            try await withGRPCClient(transport: transport.client) { client in
                let caller = Caller(client) { server.beginGracefulShutdown() }
                let error = await #expect(throws: RPCError.self) { try await caller.call("Get") }
                #expect(error?.message.contains("requestStore") == true)
            }
        }
    }

    @Test(
        "Rule 5: a task that outlives its RPC sees its closed store while the server serves the next",
        arguments: Wire.allCases
    )
    func escaped(wire: Wire) async throws {
        let watch = Watch()
        let (seen, continuation) = AsyncStream<String>.makeStream()
        let (next, nextContinuation) = AsyncStream<Void>.makeStream()
        let methods: [String: Handler] = [
            "Escape": { _, _ in
                try name.set("first")
                let store = RequestStore.current
                Task {
                    for await _ in next {}
                    let isOwn = RequestStore.current == store
                    let noRPC = CurrentRPC.context == nil
                    continuation.yield("\(isOwn) \(store?.isClosed ?? false) \(name.value ?? "-") \(noRPC)")
                }
                return unary("escaped")
            },
            "Next": { _, _ in
                try name.set("second")
                nextContinuation.finish()
                let other = await seen.first { _ in true }
                #expect(name.value == "second")
                return unary(other ?? "nothing")
            },
        ]
        try await withService(over: wire, methods, observers: [watch]) { caller in
            _ = try await caller.call("Escape")
            _ = await watch.nextOutcome()
            let seen = try await caller.call("Next")
            #expect(seen == ["true true - true"])
        }
    }

    @Test("Rule 23: the adapter lists what it cannot hold")
    func unmetGuarantees() {
        let unmet = RequestStoreTransport<InProcessTransport.Server>.unmetGuarantees
        #expect(unmet.map(\.rule) == [15, 15, 18, 19, 19])
        #expect(unmet.allSatisfy { !$0.explanation.isEmpty })
    }
}
#endif
