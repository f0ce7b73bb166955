#if Hummingbird
public import HTTPTypes
public import Hummingbird
public import HummingbirdCore
public import PerRequest

/// The server of an application whose requests have a store: what to give to `Application(router:requestStore:)`.
///
/// A request's scope opens where Hummingbird's channel hands over the request and closes after the last byte of its
/// response, in one task: handler, head and body are all inside.
public struct RequestStoreServer: Sendable {
    /// Makes the response that is sent in place of the handler's when releasing before the response failed.
    ///
    /// It gets the error, the response that the handler intended and must not be sent, and the status to send: 500 after
    /// a failure, 503 after an overrun. The store is current. The default is an empty response with that status.
    public typealias FailureResponse =
        @Sendable (RequestReleaseError, _ intended: Response, HTTPResponse.Status) -> Response

    private let buildChannel: @Sendable (@escaping HTTPChannelHandler.Responder) throws -> any ServerChildChannel
    private let configuration: StoreConfiguration
    private let selfServing: SelfServing?
    let failureResponse: FailureResponse
    let background: BackgroundWork?

    /// HTTP/1.
    ///
    /// - Parameters:
    ///   - configuration: Hummingbird's configuration of the channel.
    ///   - limits: How long the releases of a request may take in all.
    ///   - observers: See what the requests' stores do.
    ///   - background: Runs what requests leave for after their response; the application runs it as a service.
    ///   - failureResponse: Makes the response that is sent where releasing before the response failed.
    public static func http1(
        configuration: HTTP1Channel.Configuration = .init(),
        limits: RequestLimits = RequestLimits(),
        observers: [any RequestObserver] = [],
        background: BackgroundWork? = nil,
        failureResponse: @escaping FailureResponse = { _, _, status in Response(status: status) }
    ) -> RequestStoreServer {
        channel(
            limits: limits,
            observers: observers,
            background: background,
            failureResponse: failureResponse
        ) { responder in
            HTTP1Channel(responder: responder, configuration: configuration)
        }
    }

    /// Any channel that is built from a responder, as `HTTPServerBuilder` builds it.
    ///
    /// - Parameters:
    ///   - limits: How long the releases of a request may take in all.
    ///   - observers: See what the requests' stores do.
    ///   - background: Runs what requests leave for after their response; the application runs it as a service.
    ///   - failureResponse: Makes the response that is sent where releasing before the response failed.
    ///   - build: Builds the channel. The responder it gets opens and closes the scopes.
    public static func channel(
        limits: RequestLimits = RequestLimits(),
        observers: [any RequestObserver] = [],
        background: BackgroundWork? = nil,
        failureResponse: @escaping FailureResponse = { _, _, status in Response(status: status) },
        _ build: @escaping @Sendable (@escaping HTTPChannelHandler.Responder) throws -> any ServerChildChannel
    ) -> RequestStoreServer {
        RequestStoreServer(
            buildChannel: build,
            configuration: StoreConfiguration(limits: limits, observers: observers, background: background),
            selfServing: SelfServing(limits, observers, background),
            failureResponse: failureResponse,
            background: background
        )
    }

    func builder(_ startUp: StartUp) -> HTTPServerBuilder {
        let buildChannel = buildChannel
        let configuration = configuration(for:)
        return HTTPServerBuilder { responder in
            do {
                return watched(try buildChannel(scoped(responder, configuration)))
            } catch {
                startUp.failed("building its channel", error)
                throw error
            }
        }
    }

    /// What the stores of requests have in common.
    @Sendable
    func configuration(for request: Request) -> StoreConfiguration {
        selfServing?.configuration(for: request) ?? configuration
    }
}
#endif
