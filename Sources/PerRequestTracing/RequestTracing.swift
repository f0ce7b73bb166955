#if Tracing
public import PerRequest
import Synchronization
public import Tracing

/// Makes spans of what requests acquire, hold, release and wait for, through swift-distributed-tracing.
///
/// ```swift
/// let app = Application(router: router, requestStore: .http1(observers: [RequestTracing()]))
/// ```
///
/// A resource has three spans, one after the other: `acquire connection`, `hold connection` and `release connection`; a memo has the
/// first one only. They are inside of the span in which it was asked for, such as that of the request, or of the acquisition whose
/// factory asked. A caller that waits for another one's acquisition, or for its turn, has a span `wait connection`, with a link to
/// what it waits for. What throws is recorded in its span.
///
/// Each has the attributes `request_store.request`, the request's id, `request_store.key`, and, as `code.file.path` and
/// `code.line.number`, where it was asked for.
///
/// **Lifetime.** One serves all requests of a process. Spans that a request is released in may begin after the request's has ended.
///
/// **Isolation.** May be used from any task and thread.
public final class RequestTracing: RequestObserver {
    private struct Stage: Sendable {
        /// What the spans are inside of.
        let around: ServiceContext
        let span: any Span
    }

    private struct State: Sendable {
        var stages: [RequestEvent.Acquisition.ID: Stage] = [:]
        var waits: [RequestEvent.Call.ID: any Span] = [:]
    }

    private let state = Mutex(State())
    private let tracer: any Tracer

    /// Makes an observer for all requests of an application.
    ///
    /// - Parameter tracer: Makes the spans; that of `InstrumentationSystem` by default.
    public init(tracer: any Tracer = InstrumentationSystem.tracer) {
        self.tracer = tracer
    }

    /// Begins and ends the spans of what has happened.
    public func observe(_ event: RequestEvent) {
        switch event.kind {
        case .acquiring(let acquisition):
            let outer = state.withLock { state in acquisition.inside.flatMap { state.stages[$0]?.span.context } }
            begin("acquire", acquisition, outer ?? .current ?? .topLevel, event)
        case .acquired(let acquisition):
            if let around = end(acquisition) { begin("hold", acquisition, around, event) }
        case .releasing(let acquisition, let verdict):
            guard let around = end(acquisition) else { return }
            begin("release", acquisition, around, event).attributes["request_store.verdict"] = "\(verdict)"
        case .computed(let acquisition): end(acquisition)
        case .acquisitionFailed(let acquisition, let error): end(acquisition, error)
        case .released(let acquisition, let error): end(acquisition, error)
        case .waitBegan(let call): wait(call, event)
        case .waitEnded(let call, let error):
            state.withLock { $0.waits.removeValue(forKey: call.id) }?.end(error)
        default: break
        }
    }

    @discardableResult
    private func begin(
        _ what: String,
        _ acquisition: RequestEvent.Acquisition,
        _ around: ServiceContext,
        _ event: RequestEvent
    ) -> any Span {
        let span = start(what, acquisition, acquisition.askedAt, around, event)
        state.withLock { $0.stages[acquisition.id] = Stage(around: around, span: span) }
        return span
    }

    /// Ends the span of the stage under way.
    ///
    /// - Returns: What it was inside of.
    @discardableResult
    private func end(_ acquisition: RequestEvent.Acquisition, _ error: (any Error)? = nil) -> ServiceContext? {
        let stage = state.withLock { $0.stages.removeValue(forKey: acquisition.id) }
        stage?.span.end(error)
        return stage?.around
    }

    private func wait(_ call: RequestEvent.Call, _ event: RequestEvent) {
        let (outer, target) = state.withLock { state in
            (call.inside.flatMap { state.stages[$0]?.span.context }, state.stages[call.acquisition.id]?.span.context)
        }
        let span = start("wait", call.acquisition, call.askedAt, outer ?? .current ?? .topLevel, event)
        if let target { span.addLink(SpanLink(context: target, attributes: [:])) }
        state.withLock { $0.waits[call.id] = span }
    }

    private func start(
        _ what: String,
        _ acquisition: RequestEvent.Acquisition,
        _ place: SourcePosition,
        _ around: ServiceContext,
        _ event: RequestEvent
    ) -> any Span {
        let span = tracer.startSpan("\(what) \(acquisition.key)", context: around, ofKind: .internal)
        span.updateAttributes { attributes in
            attributes["request_store.request"] = event.store.id
            attributes["request_store.key"] = acquisition.key
            attributes["code.file.path"] = place.fileID
            attributes["code.line.number"] = Int64(place.line)
        }
        return span
    }
}

extension Span {
    fileprivate func end(_ error: (any Error)?) {
        if let error {
            recordError(error)
            setStatus(SpanStatus(code: .error))
        }
        end()
    }
}
#endif
