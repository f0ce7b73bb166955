#if Inspector
public import PerRequest

/// Shows the requests of an application as they happen.
public final class RequestInspector: RequestObserver {
    /// Makes an inspector.
    public init() {}

    /// Records what has happened.
    public func observe(_ event: RequestEvent) {}

    static var page: [UInt8] { PackageResources.inspector_html }
}
#endif
