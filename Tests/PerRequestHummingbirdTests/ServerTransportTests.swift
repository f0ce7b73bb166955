#if Hummingbird
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import PerRequest
import PerRequestHummingbird
import PerRequestTestSupport
import Testing

// In the shape of swift-openapi-runtime's protocol and of swift-openapi-hummingbird's extension.

private protocol ServerTransport {
    typealias Handler = @Sendable (HTTPRequest, String?) async throws -> (HTTPResponse, String?)

    func register(_ handler: @escaping Handler, method: HTTPRequest.Method, path: String) throws
}

extension RouterMethods {
    fileprivate func register(
        _ handler: @escaping ServerTransport.Handler,
        method: HTTPRequest.Method,
        path: String
    ) {
        on(RouterPath(path), method: method) { request, _ in
            let (response, body) = try await handler(request.head, nil)
            return Response(
                status: response.status,
                headers: response.headerFields,
                body: .init(byteBuffer: ByteBuffer(string: body ?? ""))
            )
        }
    }
}

extension RequestStoreRouter: ServerTransport {}
extension RequestStoreRouterGroup: ServerTransport {}
extension RequestStoreRouteCollection: ServerTransport {}

@Suite("The router as an OpenAPI server's transport", .timeLimit(.minutes(1)))
struct ServerTransportTests {
    /// What a generated handler's registration does.
    private func registerHandlers(on transport: some ServerTransport) throws {
        try transport.register({ _, _ in (HTTPResponse(status: .ok), "note") }, method: .get, path: "/notes/{id}")
        try transport.register({ _, _ in throw HTTPError(.conflict) }, method: .post, path: "/notes")
    }

    @Test("Rule 15: what a generated handler throws rolls back, whatever middleware makes of it")
    func verdicts() async throws {
        let watch = Watch()
        let router = makeRouter()
        router.add(middleware: Answering(with: .accepted))
        try registerHandlers(on: router)
        try registerHandlers(on: router.group("group").add(middleware: Answering(with: .accepted)))
        let collection = RequestStoreRouteCollection(context: TestContext.self).add(
            middleware: Answering(with: .accepted)
        )
        try registerHandlers(on: collection)
        router.addRoutes(collection, atPath: "collection")
        try await Application(router: router, requestStore: .http1(observers: [watch])).test(.router) { client in
            for prefix in ["", "/group", "/collection"] {
                try await client.execute(uri: "\(prefix)/notes/1", method: .get) { response in
                    #expect(String(buffer: response.body) == "note")
                }
                #expect(await watch.nextOutcome()?.verdict == .commit)
                try await client.execute(uri: "\(prefix)/notes", method: .post) { #expect($0.status == .accepted) }
                #expect(await watch.nextOutcome()?.verdict == .rollback)
            }
        }
    }
}
#endif
