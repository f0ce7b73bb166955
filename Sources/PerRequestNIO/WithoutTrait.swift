#if !NIO
// What this product has without its trait: the message that says so.

/// Not there without the trait.
@available(*, unavailable, message: "PerRequestNIO is empty without its trait: .package(…, traits: [\"NIO\"])")
public func withRequestScope<Result>(on channel: Any, _ body: (Any) async throws -> Result) async throws -> Result {
    fatalError("unavailable")
}

/// Not there without the trait.
@available(*, unavailable, message: "PerRequestNIO is empty without its trait: .package(…, traits: [\"NIO\"])")
public struct RequestEventLoop {}

/// Not there without the trait.
@available(*, unavailable, message: "PerRequestNIO is empty without its trait: .package(…, traits: [\"NIO\"])")
public struct RequestThreadPool {}
#endif
