#if Hummingbird
import Hummingbird
import HummingbirdRouter
import HummingbirdTesting
import Logging
import PerRequest
import PerRequestHummingbird
import Testing

/// The misuses that need a framework; the others are in PerRequestTests.
@Suite("The misuses of Hummingbird's adapter, each at its words", .timeLimit(.minutes(3)))
struct MisuseTests {
    private static let user = RequestLocal<String?>("user")

    /// The lines that an application logs from a level on, while it serves one request.
    private func lines<App: ApplicationProtocol>(
        from level: Logger.Level = .error,
        of path: String = "/",
        status: Int = 500,
        _ application: (Logger) -> App
    ) async throws -> [String] {
        let lines = LogCollector.Lines()
        try await application(Logger(label: "test") { _ in LogCollector(lines) }).test(.live) { client in
            try await client.execute(uri: path, method: .get) { #expect($0.status.code == status) }
        }
        // The request's id is a number of the process's own.
        return lines.all.filter { $0.level >= level }.map {
            $0.text.replacing(/hb\.request\.id=\S+/, with: "hb.request.id=7").replacing(
                #/request \S+: /#,
                with: "request 7: "
            )
        }
    }

    /// Misuse 69, `requestStore:` is missing: compiles only because there is an overload that says so.
    @available(*, unavailable)
    private func withoutRequestStore(_ router: RequestStoreRouter<TestContext>) -> some ApplicationProtocol {
        Application(router: router)
    }

    /// Misuse 69, `server:` in place of `requestStore:`: the same.
    @available(*, unavailable)
    private func withServer(_ router: RequestStoreRouter<TestContext>) -> some ApplicationProtocol {
        Application(router: router, server: .http1())
    }

    @Test("69. a router becomes an application without `requestStore:`: there is no other way")
    func noOtherWay() {
        #expect(!(makeRouter() as Any is any HTTPResponderBuilder))
    }

    @Test("70. the middleware is in an application that was made without the store")
    func noScope() async throws {
        let lines = try await lines { logger in
            let router = Router(context: TestContext.self)
            router.add(middleware: RequestStoreMiddleware())
            router.get("/") { _, _ in "never" }
            return Application(router: router, logger: logger)
        }
        #expect(lines.count == 1)
        #expect(
            lines.first?.contains(
                """
                PerRequest: RequestStoreMiddleware found no request store. Make the application with \
                `Application(router: router, requestStore: .http1())` in place of `Application(router: router)`.
                """
            ) == true
        )
    }

    private struct BuiltContext: RouterRequestContext {
        var coreContext: CoreRequestContextStorage
        var routerContext = RouterBuilderContext()

        init(source: ApplicationRequestContextSource) { coreContext = .init(source: source) }
    }

    @Test("71. a RouterBuilder has no middleware")
    func noMiddleware() async throws {
        let lines = try await lines { logger in
            let router = RouterBuilder(context: BuiltContext.self) { Get("/") { _, _ in "never" } }
            return Application(router: router, requestStore: .http1(), logger: logger)
        }
        #expect(lines.count == 1)
        #expect(
            lines.first?.contains(
                """
                PerRequest: GET / did not pass RequestStoreMiddleware, so that an error could not roll it back. Make the \
                router as a RequestStoreRouter; in a RouterBuilder, put RequestStoreMiddleware before every other middleware \
                and route.
                """
            ) == true
        )
    }

    @Test("72. middleware is in a group that a generic function made: Hummingbird's own")
    func hidden() async throws {
        func addCart(to routes: some RouterMethods<TestContext>) {
            routes.group("cart").add(middleware: Answering(with: .conflict)).get("items") { _, _ -> String in
                throw CancellationError()
            }
        }
        let lines = try await lines(from: .warning, of: "/cart/items", status: 409) { logger in
            let router = makeRouter()
            addCart(to: router)
            return Application(router: router, requestStore: .http1(), logger: logger)
        }
        #expect(
            lines.first?.hasPrefix("PerRequest: GET /cart/items was added as a ") == true
                && lines.first?.hasSuffix(
                    """
                    : a middleware in it that makes a response of the route's error hides that, and the request commits. Make \
                    groups by `group` of RequestStoreRouter, collections as RequestStoreRouteCollection, and a responder of \
                    your own a CallbackResponder.\u{20}
                    """
                ) == true,
            "\(lines)"
        )
    }

    @Test(
        "73. a handler requires what no middleware has set: the log has the key, the request, the place and the remedy"
    )
    func unset() async throws {
        let lines = try await lines { logger in
            let router = makeRouter()
            router.get("/") { _, _ in try Self.user.require(fileID: "Shop/Routes.swift", line: 12) }
            return Application(router: router, requestStore: .http1(), logger: logger)
        }
        #expect(lines.count == 1)
        #expect(
            lines.first?.contains(
                """
                request 7: "user", used at Shop/Routes.swift:12: nothing has been set in this request: set it in a middleware \
                that runs before, read `value`, which is nil where unset, or answer the client with `require(or:)`. [unset]
                """
            ) == true,
            "\(lines)"
        )
    }

    @Test("74. a handler leaves work for later, and the server has no `background:`")
    func noBackground() async throws {
        let lines = try await lines { logger in
            let router = makeRouter()
            router.get("/") { _, _ in
                try RequestStore.afterResponse("mail") {}
                return "never"
            }
            return Application(router: router, requestStore: .http1(), logger: logger)
        }
        #expect(lines.count == 1)
        #expect(
            lines.first?.contains(
                """
                request 7: "mail": nobody runs work after the response: give the adapter a `BackgroundWork` as `background:`, and run it as a \
                service. [noBackgroundWork]
                """
            ) == true,
            "\(lines)"
        )
    }
}
#endif
