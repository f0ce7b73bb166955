import Hummingbird
import Logging
import NIOCore

extension ResponseBody {
    /// A body that is written piece by piece.
    ///
    /// Its head is gone by then: an error can only be logged and break it off.
    static func streamed(
        _ write: @escaping @Sendable @concurrent (inout any ResponseBodyWriter) async throws -> Void
    ) -> ResponseBody {
        ResponseBody { writer in
            do {
                try await write(&writer)
            } catch {
                let level: Logger.Level = isDisconnect(error) ? .debug : .error
                Logger.current.log(level: level, "The response broke off", metadata: ["error": "\(error)"])
                throw error
            }
            try await writer.finish(nil)
        }
    }

    private static func isDisconnect(_ error: any Error) -> Bool {
        error is ChannelError || error is IOError || error is NIOAsyncWriterError || error is CancellationError
    }
}
