/// The time limits of one resource.
public struct ResourceLimits: Hashable, Sendable {
    /// How long the factory may take.
    ///
    /// Then it is cancelled and its callers get an error.
    public var acquire: Duration

    /// How long the release may take.
    ///
    /// Then it is cancelled and reported, and the request goes on without it. A factory that was cancelled, and bodies of
    /// `use` that still run when the release is due, are awaited for as long.
    public var release: Duration

    /// After how long holding the resource is reported; `nil` for never.
    public var hold: Duration?

    /// Makes the limits of a resource.
    ///
    /// - Parameters:
    ///   - acquire: How long the factory may take.
    ///   - release: How long the release may take.
    ///   - hold: After how long holding the resource is reported.
    public init(acquire: Duration = .seconds(30), release: Duration = .seconds(10), hold: Duration? = nil) {
        self.acquire = acquire
        self.release = release
        self.hold = hold
    }
}
