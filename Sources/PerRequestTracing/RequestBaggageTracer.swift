#if Tracing
public import Tracing

/// A tracer with a ``RequestBaggage``, for what injects by a tracer and not by an instrument: async-http-client does.
///
/// ```swift
/// InstrumentationSystem.bootstrap(RequestBaggageTracer(baggage, tracer))
/// ```
///
/// Spans are those of the tracer; without one there are none.
public struct RequestBaggageTracer<Base: Tracer>: Tracer {
    /// The tracer's spans.
    public typealias Span = Base.Span

    private let baggage: RequestBaggage
    private let base: Base

    /// Adds baggage to a tracer.
    ///
    /// - Parameters:
    ///   - baggage: Carries the values of requests.
    ///   - base: Makes the spans, and carries what it needs for that.
    public init(_ baggage: RequestBaggage, _ base: Base) {
        self.baggage = baggage
        self.base = base
    }

    /// Makes a tracer that makes no spans.
    ///
    /// - Parameter baggage: Carries the values of requests.
    public init(_ baggage: RequestBaggage) where Base == NoOpTracer { self.init(baggage, NoOpTracer()) }

    /// Starts a span of the tracer.
    public func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> ServiceContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> Base.Span {
        base.startSpan(
            operationName,
            context: context(),
            ofKind: kind,
            at: instant(),
            function: function,
            file: fileID,
            line: line
        )
    }

    /// The tracer's span of a context.
    public func activeSpan(identifiedBy context: ServiceContext) -> Base.Span? {
        base.activeSpan(identifiedBy: context)
    }

    /// Tells the tracer to export its spans.
    @available(*, deprecated)
    public func forceFlush() { base.forceFlush() }

    /// Extracts by the tracer, and sets the accepted values in the current store.
    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout ServiceContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier {
        base.extract(carrier, into: &context, using: extractor)
        baggage.extract(carrier, into: &context, using: extractor)
    }

    /// Injects by the tracer, and adds what travels of the current store.
    public func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier {
        base.inject(context, into: &carrier, using: injector)
        baggage.inject(context, into: &carrier, using: injector)
    }
}
#endif
