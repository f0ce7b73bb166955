#if Hummingbird
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import PerRequest
import PerRequestHummingbird
import PerRequestTestSupport
import Testing

/// What a middleware does, in whatever order there is.
private enum Step: CaseIterable {
    /// Answers an error with 409.
    case maps
    /// Throws another error in place of one.
    case translates
    /// Throws a 401 before anything else runs.
    case rejects
    /// Returns a 401 before anything else runs.
    case refuses
    /// Returns 200 in place of any response.
    case replaces
    /// Returns 503 in place of any response.
    case breaks
    /// Throws a 410 when there is a response.
    case regrets
    /// Is the middleware for a `RouterBuilder`, which is not needed here.
    case isOurs

    func middleware<Context: RequestContext>(
        _: Context.Type
    ) -> any MiddlewareProtocol<Request, Response, Context> {
        if self == .isOurs { return RequestStoreMiddleware<Context>() }
        return StepMiddleware(step: self)
    }
}

private struct StepMiddleware<Context: RequestContext>: RouterMiddleware {
    let step: Step

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        switch step {
        case .maps: do { return try await next(request, context) } catch { return Response(status: .conflict) }
        case .translates:
            do { return try await next(request, context) } catch { throw HTTPError(.preconditionFailed) }
        case .rejects: throw HTTPError(.unauthorized)
        case .refuses: return Response(status: .unauthorized)
        case .replaces:
            _ = try await next(request, context)
            return Response(status: .ok)
        case .breaks:
            _ = try await next(request, context)
            return Response(status: .serviceUnavailable)
        case .regrets:
            _ = try await next(request, context)
            throw HTTPError(.gone)
        case .isOurs: return try await next(request, context)
        }
    }
}

/// What a route does.
private enum Action: String, CaseIterable {
    case returns, returns404, returns500, streams, throws404, throws409, throwsOther, makesThrow

    private struct Unmade: ResponseGenerator {
        func response(from request: Request, context: some RequestContext) throws -> Response { throw TestError() }
    }

    /// `nil` where it throws.
    var status: Int? {
        switch self {
        case .returns, .streams: 200
        case .returns404: 404
        case .returns500: 500
        case .throws404, .throws409, .throwsOther, .makesThrow: nil
        }
    }

    func add(to routes: some RouterMethods) {
        routes.get(RouterPath(rawValue)) { request, context -> Response in
            switch self {
            case .returns: return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: "returned")))
            case .returns404: return Response(status: .notFound)
            case .returns500: return Response(status: .internalServerError)
            case .streams:
                return Response(
                    status: .ok,
                    body: ResponseBody { writer in
                        try await writer.write(ByteBuffer(string: "part"))
                        try await writer.finish(nil)
                    }
                )
            case .throws404: throw HTTPError(.notFound)
            case .throws409: throw HTTPError(.conflict)
            case .throwsOther: throw TestError()
            case .makesThrow: return try Unmade().response(from: request, context: context)
            }
        }
    }
}

/// A context that is made from the router's.
private struct PlainContext: RequestContext {
    typealias Source = TestContext
    var coreContext: CoreRequestContextStorage

    init(source: Source) { coreContext = .init(source: source) }
}

/// A context whose making may throw.
private struct CheckedContext: ChildRequestContext {
    var coreContext: CoreRequestContextStorage

    init(context: TestContext) { coreContext = .init(source: context) }
}

/// A context whose making throws.
private struct RefusedContext: ChildRequestContext {
    var coreContext: CoreRequestContextStorage

    init(context: TestContext) throws { throw HTTPError(.forbidden) }
}

/// Where routes are added, with the inner part of the middleware.
private enum Site: String, CaseIterable {
    case router, group, nested, plain, checked, refused, collection, collectionGroup, collectionInGroup

    func add(_ inner: [Step], to router: RequestStoreRouter<TestContext>) {
        let path = RouterPath(rawValue)
        switch self {
        // Last, so that nobody else gets the middleware.
        case .router: fill(router.add(inner), at: path)
        case .group: fill(router.group(path).add(inner))
        case .nested:
            // Half of it in each.
            let outer = router.group(path).add(Array(inner.prefix(inner.count / 2)))
            fill(outer.group().add(Array(inner.dropFirst(inner.count / 2))))
        case .plain: fill(router.group(path, context: PlainContext.self).add(inner))
        case .checked: fill(router.group(path, context: CheckedContext.self).add(inner))
        case .refused: fill(router.group(path, context: RefusedContext.self).add(inner))
        case .collection: router.addRoutes(collection(inner), atPath: path)
        case .collectionGroup:
            let collection = RequestStoreRouteCollection(context: TestContext.self)
            fill(collection.group().add(inner))
            router.addRoutes(collection, atPath: path)
        case .collectionInGroup: router.group(path).addRoutes(collection(inner))
        }
    }

    private func collection(_ inner: [Step]) -> RequestStoreRouteCollection<TestContext> {
        let collection = RequestStoreRouteCollection(context: TestContext.self).add(inner)
        fill(collection)
        return collection
    }

    private func fill(_ routes: some RouterMethods) {
        for action in Action.allCases { action.add(to: routes) }
    }

    private func fill(_ router: RequestStoreRouter<TestContext>, at path: RouterPath) {
        for action in Action.allCases { action.add(to: Prefixed(router: router, path: path)) }
    }
}

/// Adds routes to the router itself, below a path.
private struct Prefixed: RouterMethods {
    typealias Context = TestContext
    let router: RequestStoreRouter<TestContext>
    let path: RouterPath

    func on<Responder: HTTPResponder>(
        _ path: RouterPath,
        method: HTTPRequest.Method,
        responder: Responder
    ) -> Self where Responder.Context == Context {
        router.on(self.path.appendingPath(path), method: method, responder: responder)
        return self
    }

    func add(middleware: any MiddlewareProtocol<Request, Response, TestContext>) -> Self { self }
}

extension RouterMethods {
    fileprivate func add(_ steps: [Step]) -> Self {
        steps.reduce(self) { $0.add(middleware: $1.middleware(Context.self)) }
    }
}

// MARK: - What is expected

private enum Flow: Equatable {
    case response(Int)
    case noRoute
    case thrown
}

/// What a request does, told without Hummingbird.
private struct Expectation {
    private(set) var didRouteThrow = false
    private(set) var flow = Flow.noRoute

    /// - Parameter action: What the route does; `nil` where there is none.
    init(_ steps: some BidirectionalCollection<Step>, _ action: Action?, isRefused: Bool = false, outer: [Step] = []) {
        flow = run(steps) { expectation in
            if let action, action.status == nil { expectation.didRouteThrow = true }
            return action.map { $0.status.map(Flow.response) ?? .thrown } ?? .noRoute
        }
        if isRefused {
            didRouteThrow = false
            flow = .thrown
        }
        let within = flow
        let threw = didRouteThrow
        didRouteThrow = false
        flow = run(outer) { expectation in
            expectation.didRouteThrow = threw
            return within
        }
    }

    private mutating func run(
        _ steps: some BidirectionalCollection<Step>,
        _ last: (inout Expectation) -> Flow
    ) -> Flow {
        // Whoever rejects is the last to run.
        let reached = steps.firstIndex { $0 == .rejects || $0 == .refuses }
        var flow = reached.map { steps[$0] == .rejects ? .thrown : .response(401) } ?? last(&self)
        for step in steps[..<(reached ?? steps.endIndex)].reversed() {
            switch (step, flow) {
            case (.maps, .thrown), (.maps, .noRoute): flow = .response(409)
            case (.translates, .noRoute): flow = .thrown
            case (.replaces, .response): flow = .response(200)
            case (.breaks, .response): flow = .response(503)
            case (.regrets, .response): flow = .thrown
            default: break
            }
        }
        return flow
    }

    var verdict: RequestOutcome.Verdict {
        switch flow {
        case _ where didRouteThrow: .rollback
        case .thrown: .rollback
        case .response(let status): status < 500 ? .commit : .rollback
        case .noRoute: .commit
        }
    }

    /// `nil` where it is what Hummingbird makes of an error.
    var status: Int? {
        switch flow {
        case .response(let status): status
        case .noRoute: 404
        case .thrown: nil
        }
    }
}

@Suite("Rule 15: no order of middleware changes a verdict", .timeLimit(.minutes(5)))
struct RouterOrderTests {
    /// Sees what became of the requests.
    private final class Outcomes: RequestObserver {
        private let last = Box<RequestOutcome?>(nil)

        func observe(_ event: RequestEvent) {
            if case .closed(let outcome) = event.kind { last.update { $0 = outcome } }
        }

        func take() -> RequestOutcome? {
            let outcome = last.value
            last.update { $0 = nil }
            return outcome
        }
    }

    private struct NoWriter: ResponseBodyWriter {
        func write(_ buffer: ByteBuffer) async throws {}
        func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }

    /// Sends all requests to a router that has the outer steps, and the inner ones at each site.
    private func check(_ outer: [Step], _ inner: [Step]) async throws {
        let outcomes = Outcomes()
        let router = makeRouter(options: .autoGenerateHeadEndpoints).add(outer)
        for site in Site.allCases.filter({ $0 != .router }) + [.router] { site.add(inner, to: router) }
        #expect(router.unmetGuarantees == RequestStoreServer.unmetGuarantees)
        let responder = Application(router: router, requestStore: .http1(observers: [outcomes])).responder
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let context = TestContext(source: .init(channel: EmbeddedChannel(), logger: logger))

        func send(_ method: HTTPRequest.Method, _ path: String, _ expectation: Expectation) async throws {
            let head = HTTPRequest(method: method, scheme: nil, authority: nil, path: path)
            let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
            var status: Int?
            do {
                let response = try await responder.respond(to: request, context: context)
                status = response.status.code
                try await response.body.write(NoWriter())
            } catch {}
            let outcome = outcomes.take()
            #expect(outcome?.verdict == expectation.verdict, "\(method) \(path), \(outer) outside of \(inner)")
            if let expected = expectation.status { #expect(status == expected, "\(method) \(path) \(outer) \(inner)") }
        }

        for method in [HTTPRequest.Method.get, .head] {
            for site in Site.allCases {
                // Other tests run on the same threads, with clients that do not wait for ever.
                await Task.yield()
                for action in Action.allCases {
                    let expectation = Expectation(inner, action, isRefused: site == .refused, outer: outer)
                    try await send(method, "/\(site.rawValue)/\(action.rawValue)", expectation)
                }
            }
        }
        // The router's own steps were added to it last.
        try await send(.get, "/nowhere", Expectation(outer + inner, nil))
        try await send(.post, "/group/returns", Expectation(outer + inner, nil))
    }

    @Test("every order of two kinds, on the router and on its groups and collections")
    func exhaustive() async throws {
        let chains = [[]] + Step.allCases.map { [$0] } + Step.allCases.flatMap { a in Step.allCases.map { [a, $0] } }
        for chain in chains {
            for split in 0...chain.count {
                try await check(Array(chain.prefix(split)), Array(chain.dropFirst(split)))
            }
        }
    }

    @Test("longer chains, at random", arguments: 1...8 as ClosedRange<UInt64>)
    func random(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<12 {
            let chain = (0..<Int.random(in: 3...6, using: &generator)).map { _ in
                // Seldom what ends the chain.
                let step = Step.allCases.randomElement(using: &generator)!
                return (step == .rejects || step == .refuses) && Bool.random(using: &generator) ? .maps : step
            }
            let split = Int.random(in: 0...chain.count, using: &generator)
            try await check(Array(chain.prefix(split)), Array(chain.dropFirst(split)))
        }
    }
}
#endif
