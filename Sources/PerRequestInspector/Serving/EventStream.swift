#if Inspector
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import ServiceLifecycle
import Synchronization

extension RequestInspector {
    /// How many streams there are at a time.
    static let watcherLimit = 16

    /// A stream of what changes, as server-sent events.
    ///
    /// It ends when the server shuts down gracefully, and when its client has gone.
    func events(for request: Request) -> Response {
        guard request.method != .head else { return eventStream(ResponseBody()) }
        guard let watcher = Watcher(of: self) else {
            return .text(.serviceUnavailable, "\(Self.watcherLimit) pages are open already.")
        }
        return eventStream(
            ResponseBody { [self] writer in
                try await write(to: &writer)
                watcher.leave()
                try await writer.finish(nil)
            }
        )
    }

    private func eventStream(_ body: ResponseBody) -> Response {
        // No proxy is to keep back what there is.
        let headers: HTTPFields = [.contentType: "text/event-stream", HTTPField.Name("X-Accel-Buffering")!: "no"]
        return Response(status: .ok, headers: headers, body: body)
    }

    @concurrent
    private func write(to writer: inout any ResponseBodyWriter) async throws {
        var last = look()
        var json = JSON()
        last.write(&json, startedAt: startedAt, capacity: recorder.capacity)
        try await writer.write(.event("snapshot", json))
        var (written, pause) = (ContinuousClock.now, Duration.milliseconds(100))
        while await sleeps(pause) {
            let began = ContinuousClock.now
            let next = look()
            if next.differs(from: last) {
                var json = JSON()
                next.writeChange(&json, since: last.look, known: Set(last.timelines.map(\.number)))
                try await writer.write(.event("change", json))
                written = .now
            } else if written.duration(to: began) >= .seconds(15) {
                try await writer.write(ByteBuffer(string: ":\n\n"))
                written = .now
            }
            last = next
            // Watching takes a small part of a core, however much there is to see.
            pause = max(.milliseconds(100), began.duration(to: .now) * 5)
        }
    }

    /// Waits; false where the server is shutting down, or the client has gone.
    private func sleeps(_ duration: Duration) async -> Bool {
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: duration) }
        return !Task.isCancelled && !Task.isShuttingDownGracefully
    }
}

extension Snapshot {
    /// Whether anything has changed since an earlier one.
    func differs(from last: Snapshot) -> Bool {
        forgotten != last.forgotten || timelines.contains { $0.changed >= last.look }
            || timelines.count != last.timelines.count
    }
}

/// One that has a stream open.
private final class Watcher: Sendable {
    private let inspector: RequestInspector
    private let hasLeft = Atomic(false)

    init?(of inspector: RequestInspector) {
        self.inspector = inspector
        if inspector.watchers.add(1, ordering: .relaxed).newValue > RequestInspector.watcherLimit { return nil }
    }

    func leave() {
        if !hasLeft.exchange(true, ordering: .relaxed) { inspector.watchers.subtract(1, ordering: .relaxed) }
    }

    deinit { leave() }
}

extension ByteBuffer {
    fileprivate static func event(_ name: StaticString, _ json: JSON) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(json.bytes.count + 32)
        buffer.writeString("event: \(name)\ndata: ")
        buffer.writeBytes(json.bytes)
        buffer.writeString("\n\n")
        return buffer
    }
}
#endif
