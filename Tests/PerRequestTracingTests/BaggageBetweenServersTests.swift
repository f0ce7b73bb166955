#if Tracing && Hummingbird
import AsyncHTTPClient
import Hummingbird
import InMemoryTracing
import Logging
import NIOCore
import NIOHTTP1
import PerRequest
import PerRequestHummingbird
import PerRequestTestSupport
import PerRequestTracing
import ServiceLifecycle
import Testing
import Tracing

@Suite("Values that travel between two servers", .timeLimit(.minutes(5)))
struct BaggageBetweenServersTests {
    private let tracer: RequestBaggageTracer<InMemoryTracer>

    init() throws { tracer = RequestBaggageTracer(try Shop.baggage(), InMemoryTracer()) }

    @Test("The second sees the tenant and the request of the first, typed; its id is its own")
    func twoServers() async throws {
        try await withServers { front, _ in
            let answer = try await ask(front, ["X-Tenant": "acme"])
            let lines = answer.split(separator: "\n").map(String.init)
            #expect(lines.count == 3)
            // What the first was, what the second saw of it, and what the second was.
            #expect(lines[1] == "acme \(lines[0])")
            #expect(lines[2] != lines[0])
        }
    }

    @Test("A client's own baggage reaches no further than what is accepted, and its header stays beside ours")
    func hostileClient() async throws {
        try await withServers { front, back in
            let hostile = "tenant=acme,secret=x,shop.priority=%zz,request.id=mine,other=1"
            // The first server accepts as much as the second one: what is bound by its middleware wins.
            let forwarded = try await ask(front, ["X-Tenant": "ours", "baggage": hostile])
            #expect(forwarded.split(separator: "\n")[1].hasPrefix("ours "))
            let direct = try await ask(back, ["baggage": hostile])
            #expect(direct.hasPrefix("acme mine\n"))
            let twice = try await ask(back, ["baggage": "tenant=acme", "Baggage": "tenant=other,request.id=mine"])
            #expect(twice.hasPrefix("none mine\n"))
        }
    }

    @Test("Many requests at a time each see their own")
    func concurrency() async throws {
        try await withServers { front, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for letter in "abcdefghijklmnopqrstuvwxyz" {
                    group.addTask {
                        for _ in 0..<4 {
                            let answer = try await ask(front, ["X-Tenant": String(repeating: letter, count: 3)])
                            let lines = answer.split(separator: "\n")
                            #expect(lines[1] == "\(String(repeating: letter, count: 3)) \(lines[0])")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    // MARK: - The servers

    /// Runs two servers: the first asks the second.
    private func withServers(_ body: @Sendable (_ front: Int, _ back: Int) async throws -> Void) async throws {
        // The process has one instrument; a test has it for itself.
        try await withTracer(tracer) {
            let backRouter = RequestStoreRouter(context: BasicRequestContext.self)
            backRouter.add(middleware: TracingMiddleware())
            backRouter.get("/") { _, _ in
                let tenant = Shop.tenant.value?.description ?? "none"
                return "\(tenant) \(RequestBaggage.caller.value ?? "none")\n\(RequestStore.current?.id ?? "none")"
            }
            try await serving(backRouter) { back in
                let frontRouter = RequestStoreRouter(context: BasicRequestContext.self)
                frontRouter.add(middleware: TenantMiddleware())
                frontRouter.add(middleware: TracingMiddleware())
                frontRouter.get("/") { _, _ in
                    let id = RequestStore.current?.id ?? "none"
                    return "\(id)\n" + (try await ask(back, [:]))
                }
                try await serving(frontRouter) { front in try await body(front, back) }
            }
        }
    }

    private struct TenantMiddleware: RouterMiddleware {
        func handle(
            _ request: Request,
            context: BasicRequestContext,
            next: @concurrent (Request, BasicRequestContext) async throws -> Response
        ) async throws -> Response {
            try Shop.tenant.set(request.headers[.init("X-Tenant")!].flatMap(Shop.Tenant.init))
            return try await next(request, context)
        }
    }

    /// Asks a server, by the client that injects by itself.
    private func ask(_ port: Int, _ headers: KeyValuePairs<String, String>) async throws -> String {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        var configuration = HTTPClient.Configuration()
        configuration.tracing.tracer = tracer
        let client = HTTPClient(configuration: configuration)
        do {
            let response = try await client.execute(request, timeout: .minutes(2))
            let body = try await response.body.collect(upTo: 1_000)
            try await client.shutdown()
            return String(buffer: body)
        } catch {
            try await client.shutdown()
            throw error
        }
    }

    private func serving(
        _ router: RequestStoreRouter<BasicRequestContext>,
        _ body: @Sendable (Int) async throws -> Void
    ) async throws {
        let (ports, continuation) = AsyncThrowingStream<Int, any Error>.makeStream()
        let app = Application(
            router: router,
            requestStore: .http1(),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await withRunning(app, ports, continuation) { port, _ in try await body(port) }
    }
}
#endif
