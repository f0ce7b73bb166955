#if NIO
import NIOCore
import NIOHTTP1
import PerRequest
import Synchronization

/// Calls the responder, and writes the response where its future completes.
///
/// It holds the response until it is written, or cannot be.
final class HTTPServerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    private let responder: any Responder
    private var request: Request?

    init(responder: any Responder) { self.responder = responder }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let (channel, eventLoop) = (context.channel, context.eventLoop)
        switch unwrapInboundIn(data) {
        case .head(let head):
            let request = Request(head.uri, on: eventLoop)
            self.request = request
            responder.respond(to: request).hop(to: eventLoop).whenComplete { result in
                guard case .success(let response) = result else { return channel.close(promise: nil) }
                Self.serialize(response, on: channel)
            }
        case .body(let buffer): request?.body.append(buffer)
        case .end:
            let body = request.take()?.body
            body?.end.succeed(body?.data)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        request.take()?.body.end.fail(ChannelError.inputClosed)
        context.fireChannelInactive()
    }

    private static func serialize(_ response: Response, on channel: any Channel) {
        let done = channel.eventLoop.makePromise(of: Void.self)
        let writer = ChannelWriter(channel: channel, done: done)
        let headers: HTTPHeaders = ["Transfer-Encoding": "chunked"]
        channel.write(
            ResponseParts.OutboundIn.head(.init(version: .http1_1, status: response.status, headers: headers)),
            promise: nil
        )
        switch response.body.storage {
        case .string(let text):
            channel.write(ResponseParts.OutboundIn.body(ByteBuffer(string: text)), promise: nil)
            channel.writeAndFlush(ResponseParts.OutboundIn.end(nil), promise: done)
        case .stream(let stream): stream(writer)
        case .asyncStream(let stream):
            Task { do { try await stream(writer) } catch { writer.fail(error) } }
        }
        done.futureResult.whenFailure { error in
            // A body whose end cannot be written is called once more, to be told.
            let writer = ChannelWriter(channel: channel, done: channel.eventLoop.makePromise())
            writer.fail(error)
            switch response.body.storage {
            case .string: break
            case .stream(let stream): stream(writer)
            case .asyncStream(let stream): Task { try? await stream(writer) }
            }
            channel.close(promise: nil)
        }
    }
}

private final class ChannelWriter: BodyStreamWriter, AsyncBodyStreamWriter {
    let channel: any Channel
    let done: EventLoopPromise<Void>
    private let failure = Lock<(any Error)?>(nil)
    private let isOver = Lock(false)

    init(channel: any Channel, done: EventLoopPromise<Void>) {
        self.channel = channel
        self.done = done
    }

    var eventLoop: any EventLoop { channel.eventLoop }

    func fail(_ error: any Error) {
        failure.withLock { if $0 == nil { $0 = error } }
        end { done.fail(error) }
    }

    private func end(_ body: () -> Void) {
        let isFirst = isOver.withLock { isOver in
            defer { isOver = true }
            return !isOver
        }
        if isFirst { body() }
    }

    func write(_ result: BodyStreamResult) async throws {
        let promise = eventLoop.makePromise(of: Void.self)
        eventLoop.execute { self.write(result, promise: promise) }
        try await promise.futureResult.get()
    }

    func write(_ result: BodyStreamResult, promise: EventLoopPromise<Void>?) {
        if let failure = failure.withLock({ $0 }) {
            promise?.fail(failure)
            return
        }
        switch result {
        case .buffer(let buffer):
            let written = channel.writeAndFlush(ResponseParts.OutboundIn.body(buffer))
            written.whenFailure { self.fail($0) }
            written.cascade(to: promise)
        case .error(let error):
            fail(error)
            promise?.fail(error)
        case .end:
            channel.writeAndFlush(ResponseParts.OutboundIn.end(nil), promise: nil)
            end { done.succeed() }
            promise?.succeed()
        }
    }
}
#endif
