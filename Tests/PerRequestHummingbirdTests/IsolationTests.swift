#if Hummingbird
import HTTPTypes
import Hummingbird
import NIOCore
import PerRequest
import PerRequestTestSupport
import PerRequestHummingbird
import Testing

@Suite("No request sees another's data", .timeLimit(.minutes(5)))
struct IsolationTests {
    private static let number = RequestLocal<Int?>("number")

    private static func pause() async {
        for _ in 0..<Int.random(in: 0..<4) { await Task.yield() }
        if Int.random(in: 0..<8) == 0 { try? await Task.sleep(for: .microseconds(Int.random(in: 1...500))) }
    }

    @Test("1,000 concurrent requests with random suspension in handler, children and body")
    func concurrent() async throws {
        let watch = Watch()
        let client = RequestResource("client") {
            await Self.pause()
            return Self.number.value ?? -1
        } release: { owner, _ in
            await Self.pause()
            if Self.number.value != owner { Issue.record("released in the wrong store") }
        }
        let router = makeRouter()
        router.get("work") { request, _ in
            let mine = try request.uri.queryParameters.require("n", as: Int.self)
            guard Self.number.value == nil else { throw TestError("another request's value") }
            try Self.number.set(mine)
            await Self.pause()
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 {
                    group.addTask {
                        await Self.pause()
                        let owner = try await client.get()
                        guard owner == mine, Self.number.value == mine else { throw TestError("in a child") }
                    }
                }
                try await group.waitForAll()
            }
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    for _ in 0..<3 {
                        await Self.pause()
                        let owner = try await client.get()
                        guard owner == mine, Self.number.value == mine else { throw TestError("in the body") }
                        try await writer.write(ByteBuffer(string: "\(owner);"))
                    }
                    try await writer.finish(nil)
                }
            )
        }
        let connections = 50
        let each = 20
        try await withServer(router, observers: [watch]) { port, _ in
            try await withThrowingTaskGroup { group in
                for connection in 0..<connections {
                    group.addTask {
                        let raw = try await RawClient.connect(to: port)
                        // Half of the connections pipeline all of their requests.
                        let numbers = (0..<each).map { connection * each + $0 }
                        if connection.isMultiple(of: 2) {
                            for number in numbers { try await raw.get("/work?n=\(number)") }
                        }
                        for number in numbers {
                            if !connection.isMultiple(of: 2) { try await raw.get("/work?n=\(number)") }
                            let response = try await raw.response()
                            #expect(response.status == 200)
                            #expect(response.body == "\(number);\(number);\(number);")
                        }
                        try await raw.close()
                    }
                }
                try await group.waitForAll()
            }
            for _ in 0..<connections * each { _ = await watch.nextOutcome() }
        }
        let total = connections * each
        #expect(watch.counts == .init(opened: total, closed: total, acquired: total, released: total))
    }

    @Test("A task that outlives its request sees its closed store while the connection serves the next")
    func escaped() async throws {
        let watch = Watch()
        let (seen, continuation) = AsyncStream<String>.makeStream()
        let (next, nextContinuation) = AsyncStream<Void>.makeStream()
        let router = makeRouter()
        router.get("escape") { _, _ in
            try Self.number.set(1)
            let store = RequestStore.current
            Task {
                for await _ in next {}
                let isOwn = RequestStore.current == store
                continuation.yield("\(isOwn) \(store?.isClosed ?? false) \(Self.number.value ?? 0)")
            }
            return "escaped"
        }
        router.get("next") { _, _ in
            try Self.number.set(2)
            nextContinuation.finish()
            let other = await seen.first { _ in true }
            #expect(Self.number.value == 2)
            return other ?? "-"
        }
        try await withServer(router, observers: [watch]) { port, _ in
            let client = try await RawClient.connect(to: port)
            try await client.get("/escape")
            _ = try await client.response()
            _ = await watch.nextOutcome()
            try await client.get("/next")
            #expect(try await client.response().body == "true true 0")
            try await client.close()
        }
    }
}
#endif
