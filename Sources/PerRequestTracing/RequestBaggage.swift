#if Tracing
public import PerRequest
public import Tracing

/// Carries the values of requests to other processes and back, as W3C baggage: an instrument of swift-distributed-tracing.
///
/// ```swift
/// enum Current {
///     static let tenant = RequestLocal<Tenant?>("tenant", propagated: "tenant")
/// }
///
/// let baggage = try RequestBaggage(accepting: Current.tenant, RequestBaggage.caller)
/// InstrumentationSystem.bootstrap(RequestBaggageTracer(baggage, tracer))
/// ```
///
/// What already calls the `Instrument` API does the rest: async-http-client injects into the headers of each request that is sent
/// with `async`, Hummingbird's `TracingMiddleware` and gRPC's tracing interceptors do both. Elsewhere use ``requestCarrier(by:)``
/// and ``withRequestStore(carriedBy:by:id:observers:background:_:)``, or ``header(in:)`` and ``receive(_:in:)``.
///
/// **What leaves** is what was set with keys that are declared with `propagated:`, and the request's id: to every server that is
/// sent something, whoever runs it. What is sent inside of `withoutRequestStore` takes nothing along.
///
/// **What arrives** was written by somebody else. Only the keys that are named here are set, only where the application has set none
/// itself, and once in a request: with the first header. What is malformed, or no value of its key, is left out and
/// reported; this sends nothing on that the process has not accepted. A tracer beside it may, if it propagates baggage itself.
///
/// **Isolation.** May be used from any task and thread.
public struct RequestBaggage: Instrument {
    /// The id of the request that this one was sent for, as the process that sent it names it; `nil` where none came.
    ///
    /// It is named among the accepted keys where it is wanted. It is logged, as `request.caller`, and changes nothing about the
    /// request's own id.
    public static let caller = RequestLocal<String?>(
        "request.caller",
        logged: { $0 },
        propagated: RequestPropagation(
            Self.requestID,
            // The id of the request that sends is the store's.
            encode: { _ in nil },
            decode: { $0.isEmpty || $0.utf8.count > 128 ? nil : $0 }
        )
    )

    /// Whether a store has had what came with its request.
    private static let hasArrived = RequestLocal("request baggage has arrived", default: false)
    private static let requestID = "request.id"
    static let headerName = "baggage"

    private let accepted: [AcceptedValue]
    private let sendsRequestID: Bool
    private let limits: Limits

    /// Makes an instrument.
    ///
    /// - Parameters:
    ///   - keys: The keys that others may set, each declared with `propagated:`. Name those only for which it does not matter
    ///     who the client is, or whose clients have been made sure of before: by a gateway that removes what strangers send.
    ///   - sendsRequestID: Whether the id of the request is sent, as `request.id`: the ``caller`` of who gets it.
    ///   - limits: How much travels.
    /// - Throws: ``RequestBaggageError`` where a key has no `propagated:`, cannot travel, or comes twice.
    public init<each Value: Sendable>(
        accepting keys: repeat RequestLocal<each Value>,
        sendsRequestID: Bool = true,
        limits: Limits = Limits()
    ) throws(RequestBaggageError) {
        var accepted: [AcceptedValue] = []
        for key in repeat each keys {
            let value = try AcceptedValue(key)
            guard !accepted.contains(where: { $0.name == value.name }) else {
                throw RequestBaggageError(reason: .acceptedTwice(value.name))
            }
            accepted.append(value)
        }
        self.accepted = accepted
        self.sendsRequestID = sendsRequestID
        self.limits = limits
    }

    /// Sets the accepted values of a carrier in the current store, where there is one; nothing goes into the context.
    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout ServiceContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard !accepted.isEmpty, let header = extractor.extract(key: Self.headerName, from: carrier) else { return }
        receive(CollectionOfOne(header))
    }

    /// Adds what travels of the current store to a carrier, behind what is there already.
    public func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let store = RequestStore.current else { return }
        guard let header = header(of: store, addedTo: present(in: carrier, using: injector)) else { return }
        injector.inject(header, forKey: Self.headerName, into: &carrier)
    }
}

// MARK: - Without the Instrument API

extension RequestBaggage {
    /// Sets the accepted values of what arrived with a request, where nothing has been set, and reports what is wrong with it.
    ///
    /// A store takes what comes first; called again, this does nothing.
    ///
    /// - Parameters:
    ///   - headers: The values of the `baggage` headers.
    ///   - store: The request's store; the current one by default. Without one, or after the request, this does nothing.
    public func receive(_ headers: some Sequence<String>, in store: RequestStore? = .current) {
        guard let store, Self.hasArrived.receive(true, in: store) else { return }
        let names = Set(accepted.map(\.name))
        let arrived = BaggageHeader(parsing: headers, for: names, limits)
        var problems = arrived.problems
        for value in accepted {
            switch arrived.values[value.name] {
            case nil: break
            case .malformed: problems.append("\"\(value.name)\" is malformed")
            case .ambiguous: problems.append("\"\(value.name)\" came twice, with different values")
            case .text(let text):
                if !value.receive(text, store) { problems.append("\"\(value.name)\" is no value of its key") }
            }
        }
        store.report(unpropagated: problems)
    }

    /// The value of the `baggage` header for what is sent for a request; `nil` where nothing travels, and after it.
    ///
    /// - Parameter store: The request's store; the current one by default.
    public func header(in store: RequestStore? = .current) -> String? {
        store.flatMap { header(of: $0, addedTo: nil) }
    }
}

extension RequestBaggage {
    private func header(of store: RequestStore, addedTo present: String?) -> String? {
        guard !store.isClosed else { return nil }
        var values = store.propagated
        if sendsRequestID { values.insert((Self.requestID, store.id), at: 0) }
        var header = BaggageHeader.Writer(limits)
        header.keep(present ?? "", without: Set(values.map(\.name)))
        for (name, value) in values { header.add(name, value) }
        store.report(unpropagated: header.problems)
        return header.text.isEmpty ? nil : header.text
    }

    /// The header that others have put into a carrier, where that can be read.
    private func present<Carrier, Inject: Injector>(in carrier: Carrier, using injector: Inject) -> String? {
        if let fields = carrier as? [String: String] {
            return HeaderFields().extract(key: Self.headerName, from: fields)
        }
        guard let extractor = injector as? any Extractor else { return nil }
        func extract<E: Extractor>(_ extractor: E) -> String? {
            (carrier as? E.Carrier).flatMap { extractor.extract(key: Self.headerName, from: $0) }
        }
        return extract(extractor)
    }
}

/// A key that others may set.
private struct AcceptedValue: Sendable {
    let name: String
    /// Sets the value, unless the request has one; `false` where the text is none.
    let receive: @Sendable (String, RequestStore) -> Bool

    init<Value>(_ key: RequestLocal<Value>) throws(RequestBaggageError) {
        guard let propagation = key.propagation else {
            throw RequestBaggageError(reason: .notPropagated(key: key.name))
        }
        if let error = key.refusal { throw RequestBaggageError(reason: .refused(error)) }
        name = propagation.name
        receive = { text, store in
            if key.isSet(in: store) { return true }
            guard let value = propagation.decode(text) else { return false }
            key.receive(value, in: store)
            return true
        }
    }
}
#endif
