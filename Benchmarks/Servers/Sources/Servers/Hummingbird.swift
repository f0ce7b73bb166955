import Hummingbird
import PerRequestHummingbird
import PerRequestInspector

extension Main {
    static func serveHummingbird() async throws {
        let router = Router()
        addRoutes(to: router)
        router.get("resource") { _, _ in try await ByHand.thing.use { thing in thing.text } }
        let app = Application(
            router: router,
            configuration: anyPort,
            onServerRunning: { printPort($0.localAddress?.port) }
        )
        try await app.runService()
    }

    static func serveHummingbirdWithStores(_ inspector: RequestInspector? = nil) async throws {
        let router = RequestStoreRouter()
        inspector?.mount(on: router)
        addRoutes(to: router)
        router.get("resource") { _, _ in try await Current.thing.get().text }
        let app = Application(
            router: router,
            requestStore: .http1(observers: inspector.map { [$0] } ?? []),
            configuration: anyPort,
            onServerRunning: { printPort($0.localAddress?.port) }
        )
        try await app.runService()
    }

    private static let anyPort = ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0))

    /// Those that use nothing of a store.
    private static func addRoutes(to router: some RouterMethods) {
        router.get("buffered") { _, _ in "hello" }
        router.get("streamed") { _, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    for _ in 0..<4 { try await writer.write(ByteBuffer(string: "hello")) }
                    try await writer.finish(nil)
                }
            )
        }
    }
}
