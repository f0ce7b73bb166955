import Logging
import PerRequest
import PerRequestTracing
import Tracing

/// What requests take along to other processes, and what is accepted of them.
public enum Travels {
    /// Whose notes it is about, and which request sent it.
    ///
    /// Here as everywhere in Notes, nobody asks clients who they are: a service that does would accept this only from those it knows.
    static func baggage() throws -> RequestBaggage {
        try RequestBaggage(accepting: Current.tenant, RequestBaggage.caller)
    }

    /// Lets whatever the process sends take its request's values along, and its logs show them.
    ///
    /// Once in a process, before anything is sent or logged.
    public static func bootstrap() throws {
        InstrumentationSystem.bootstrap(RequestBaggageTracer(try baggage()))
        LoggingSystem.bootstrap(StreamLogHandler.standardError, metadataProvider: .requestStore)
    }

    /// Logs what is done for another process: its request is in the line, as `request.caller`.
    static func log(_ message: String) {
        if RequestBaggage.caller.value != nil { Logger.current.info("\(message)") }
    }
}
