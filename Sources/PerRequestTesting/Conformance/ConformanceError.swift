/// What the handler of a check throws: the framework makes a response of it.
///
/// Where the framework lets an application map errors, map this one, to 409 or `ABORTED`, and call ``noteMapping()``
/// there.
public struct ConformanceError: Error {
    let mapped: @Sendable () -> Void

    /// Tells the suite that the error is being mapped to a response.
    public func noteMapping() { mapped() }
}

extension ConformanceError: CustomStringConvertible {
    /// Says that a check threw it on purpose.
    public var description: String { "thrown by a conformance check" }
}
