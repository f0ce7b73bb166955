#if Hummingbird
public import Hummingbird
public import ServiceLifecycle

/// The ``RequestStoreResponder`` of any router.
public protocol AnyRequestStoreResponder: HTTPResponder {}

extension RequestStoreResponder: AnyRequestStoreResponder {}

// What Hummingbird has, for applications whose requests have a store: what fails before the server listens is logged.
extension Application where Responder: AnyRequestStoreResponder {
    /// Adds a process that runs before the server starts; an error that it throws is logged as critical.
    ///
    /// - Parameter process: The process; an error stops the application.
    public mutating func beforeServerStarts(perform process: @escaping @Sendable @concurrent () async throws -> Void) {
        let startUp = startUp
        addProcess { try await startUp.watch("what runs before the server starts") { try await process() } }
    }

    /// Adds services; an error that one throws before the server listens is logged as critical.
    ///
    /// - Parameter services: Services that the application runs beside its server.
    public mutating func addServices(_ services: any Service...) {
        addServices(services)
    }

    /// Adds services; an error that one throws before the server listens is logged as critical.
    ///
    /// - Parameter services: Services that the application runs beside its server.
    public mutating func addServices(_ services: some Sequence<any Service>) {
        let startUp = startUp
        self.services += services.map { startUp.watched($0) }
    }

    private var startUp: StartUp { (responder as! any HasStartUp).startUp }
}

/// What no other module sees of the responder.
private protocol HasStartUp {
    var startUp: StartUp { get }
}

extension RequestStoreResponder: HasStartUp {}

extension Application {
    /// Hummingbird's own `beforeServerStarts`.
    fileprivate mutating func addProcess(_ process: @escaping @Sendable @concurrent () async throws -> Void) {
        beforeServerStarts(perform: process)
    }
}
#endif
