import Dispatch

/// What a socket can be waited for.
enum Readiness {
    case readable
    case writable

    /// Waits, without blocking a thread, until `socket` is ready.
    ///
    /// The socket is watched by nobody afterwards: it may be closed.
    ///
    /// - Throws: If the task is cancelled; the socket need not be ready then.
    func wait(for socket: Int32) async throws(CancellationError) {
        // Its methods may be called from any thread.
        nonisolated(unsafe) let source = source(socket)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                source.setEventHandler { source.cancel() }
                source.setCancelHandler { continuation.resume() }
                source.activate()
            }
        } onCancel: {
            source.cancel()
        }
        if Task.isCancelled { throw CancellationError() }
    }

    /// Waits until `socket` is ready, whether the task is cancelled or not, or until `limit` has passed.
    func waitUncancelled(for socket: Int32, atMost limit: DispatchTimeInterval? = nil) async {
        // Its methods may be called from any thread.
        nonisolated(unsafe) let source = source(socket)
        if let limit { DispatchQueue.global().asyncAfter(deadline: .now() + limit) { source.cancel() } }
        await withCheckedContinuation { continuation in
            source.setEventHandler { source.cancel() }
            source.setCancelHandler { continuation.resume() }
            source.activate()
        }
    }

    private func source(_ socket: Int32) -> any DispatchSourceProtocol {
        switch self {
        case .readable: DispatchSource.makeReadSource(fileDescriptor: socket, queue: .global())
        case .writable: DispatchSource.makeWriteSource(fileDescriptor: socket, queue: .global())
        }
    }
}
