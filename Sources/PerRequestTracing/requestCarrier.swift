#if Tracing
public import PerRequest
public import Tracing

/// What travels of the current request, for whatever is not sent by a client that injects by itself: a message of a queue.
///
/// ```swift
/// try await queue.send(Message(body: body, headers: requestCarrier()))
/// ```
///
/// - Parameter instrument: Says what travels: that of the process by default, so that spans on both sides belong together.
/// - Returns: Names and values, for ``withRequestStore(carriedBy:by:id:observers:background:_:)``; none outside a request.
public func requestCarrier(
    by instrument: any Instrument = InstrumentationSystem.instrument
) -> [String: String] {
    var carrier: [String: String] = [:]
    instrument.inject(.current ?? .topLevel, into: &carrier, using: HeaderFields())
    return carrier
}

/// Opens a store with what has travelled from another process, runs `body` with it, and closes it: for what a queue delivers.
///
/// ```swift
/// for try await message in queue {
///     try await withRequestStore(carriedBy: message.headers, id: message.id) { _ in
///         try await Orders.place(message.body)                // sees the tenant of the request that sent the message
///     }
/// }
/// ```
///
/// The service context is that of the carrier. All else is as with
/// ``PerRequest/withRequestStore(_:id:observers:background:_:)``.
///
/// - Parameters:
///   - carrier: What came with the message, as ``requestCarrier(by:)`` made it; names in any case.
///   - instrument: Says what is accepted: that of the process by default.
///   - id: The request's id in errors and reports; a number that is unique in the process by default.
///   - observers: See what the store does.
///   - background: Runs what is left for after the response; this does, before it returns, where there is none.
///   - body: The work, in the caller's task and isolation.
/// - Returns: What `body` returns.
/// - Throws: The error of `body`, unchanged. Where `body` succeeded and a release failed, a `RequestReleaseError`.
@discardableResult
public nonisolated(nonsending) func withRequestStore<Result>(
    carriedBy carrier: [String: String],
    by instrument: any Instrument = InstrumentationSystem.instrument,
    id: String? = nil,
    observers: [any RequestObserver] = [],
    background: BackgroundWork? = nil,
    _ body: nonisolated(nonsending) (RequestStore) async throws -> Result
) async throws -> Result {
    try await withRequestStore(id: id, observers: observers, background: background) { store in
        var context = ServiceContext.topLevel
        instrument.extract(carrier, into: &context, using: HeaderFields())
        return try await ServiceContext.$current.withValue(context) { try await body(store) }
    }
}

/// Names and values, as of HTTP: a name may be written in any case, and several of one are one list.
struct HeaderFields: Injector, Extractor {
    func inject(_ value: String, forKey key: String, into fields: inout [String: String]) {
        let name = key.lowercased()
        for other in fields.keys where other.lowercased() == name { fields[other] = nil }
        fields[key] = value
    }

    func extract(key: String, from fields: [String: String]) -> String? {
        if let value = fields[key], fields.count == 1 { return value }
        let name = key.lowercased()
        let values = fields.filter { $0.key.lowercased() == name }.sorted { $0.key < $1.key }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ",")
    }
}
#endif
