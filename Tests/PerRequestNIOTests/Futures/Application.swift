#if NIO
import NIOCore
import NIOHTTP1
import NIOPosix
import PerRequest
import Synchronization

/// What an application sets up: middleware, the first one outermost, around the handler of every request.
final class Application: Sendable {
    private struct State {
        var middleware: [any Middleware] = []
        var responder: (@Sendable (Application) -> any Responder)?
        var channels: [any Channel] = []
    }

    struct Middlewares {
        let app: Application
        func use(_ middleware: any Middleware) { app.state.withLock { $0.middleware.append(middleware) } }
    }

    struct Responders {
        let app: Application
        func use(_ factory: @escaping @Sendable (Application) -> any Responder) {
            app.state.withLock { $0.responder = factory }
        }
        var `default`: any Responder {
            app.state.withLock { $0.middleware }.reversed().reduce(app.handler) { Chain(middleware: $1, next: $0) }
        }
        var current: any Responder { app.state.withLock { $0.responder }?(app) ?? self.default }
    }

    private let state = Lock(State())
    fileprivate let handler: any Responder

    init(_ handler: any Responder) { self.handler = handler }

    var middleware: Middlewares { Middlewares(app: self) }
    var responder: Responders { Responders(app: self) }

    private struct Chain: Responder {
        let middleware: any Middleware
        let next: any Responder
        func respond(to request: Request) -> EventLoopFuture<Response> {
            middleware.respond(to: request, chainingTo: next)
        }
    }

    /// Runs the server on a free port of the loopback interface.
    func run(background: BackgroundWork? = nil, _ body: (_ port: Int) async throws -> Void) async throws {
        let responder = responder.current
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                self.state.withLock { $0.channels.append(channel) }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: true)
                    try pipeline.addHandler(ResponseParts())
                    try pipeline.addHandler(HTTPServerHandler(responder: responder))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        try await withThrowingTaskGroup(of: Void.self) { group in
            if let background {
                group.addTask { await background.runUntilShutdown() }
                await background.untilRunning()
            }
            let result = await Result { try await body(server.localAddress?.port ?? 0) }
            try await server.close()
            for channel in state.withLock({ $0.channels }) { try? await channel.close() }
            group.cancelAll()
            try result.get()
        }
    }
}

extension Result where Failure == any Error {
    fileprivate nonisolated(nonsending) init(_ body: nonisolated(nonsending) () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
#endif
