#if NIO
public import NIOCore
public import PerRequest

extension RequestOutcome.Ending {
    /// How a request ended whose serving threw.
    ///
    /// An error of a connection says that the client left only if this connection is dead: the same error comes from a
    /// database that is reached over NIO.
    ///
    /// - Parameters:
    ///   - error: What was thrown.
    ///   - channel: The client's connection.
    public init(of error: any Error, on channel: any Channel) {
        if error is CancellationError, Task.isCancelled {
            self = .cancelled
            return
        }
        let isOfConnection =
            error is ChannelError || error is IOError || error is NIOAsyncWriterError || error is CancellationError
        self = isOfConnection && !channel.isActive ? .clientDisconnected : .failed(error)
    }
}
#endif
