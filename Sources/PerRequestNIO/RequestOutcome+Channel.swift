#if NIO
public import NIOCore
public import PerRequest

extension RequestOutcome.Ending {
    /// How a request ended whose serving threw.
    ///
    /// An error of a connection says that the client left only if this connection is dead, or the client has closed its end
    /// of it: the same error comes from a database that is reached over NIO. So it is with a `CancellationError` in a task
    /// that is not cancelled: a framework may end a handler that way when its client leaves, and a handler may throw one of
    /// its own.
    ///
    /// **Cancellation.** To be asked in the task that served the request: there it tells a cancelled one.
    ///
    /// - Parameters:
    ///   - error: What was thrown.
    ///   - channel: The client's connection.
    public init(of error: any Error, on channel: any Channel) async {
        self = await RequestOutcome.Ending(of: error, isOfConnection: error.isOfNIO, on: channel)
    }

    /// How a request ended whose serving threw, where there is no channel at hand.
    ///
    /// The same as with a channel: an error of a connection says that the client left only if the client's own is dead.
    ///
    /// **Cancellation.** To be asked in the task that served the request: there it tells a cancelled one.
    ///
    /// - Parameters:
    ///   - error: What was thrown.
    ///   - isConnectionDead: Whether the client's connection is: it is where writing the response threw `error`.
    public init(of error: any Error, isConnectionDead: Bool) {
        self = RequestOutcome.Ending(of: error, isOfConnection: error.isOfNIO, isConnectionDead: isConnectionDead)
    }

    private init(of error: any Error, isOfConnection: Bool, isConnectionDead: Bool) {
        if !isOfConnection, !(error is CancellationError) {
            self = .failed(error)
        } else if Task.isCancelled {
            // A server that stops ends what it reads, and closes the connection itself.
            self = .cancelled
        } else {
            self = isConnectionDead ? .clientDisconnected : .failed(error)
        }
    }

    /// How a request ended whose serving threw, where an adapter knows more errors that are of a connection.
    package init(of error: any Error, isOfConnection: Bool, on channel: any Channel) async {
        // Where the channel does not matter, it is not asked.
        let unasked = RequestOutcome.Ending(of: error, isOfConnection: isOfConnection, isConnectionDead: true)
        guard case .clientDisconnected = unasked, await !channel.isLeft else {
            self = unasked
            return
        }
        self = RequestOutcome.Ending(of: error, isOfConnection: isOfConnection, isConnectionDead: false)
    }
}

extension Error {
    /// Whether this is an error of SwiftNIO: of a channel, of TLS, or of the framing of HTTP.
    ///
    /// Told from the module it is declared in, most of which the adapter does not depend on.
    package var isOfNIO: Bool {
        // `Error` conforms to itself: `Self` may be that.
        let name = String(reflecting: type(of: self as any Error))
        return ["NIOCore.", "NIOPosix.", "NIOSSL.", "NIOHTTP1.", "NIOHTTP2."].contains { name.hasPrefix($0) }
    }
}
#endif
