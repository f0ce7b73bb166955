// What does not compile, or not for long, in words.

extension RequestLocal {
    /// Says that a value that is not optional is never missing.
    @available(*, unavailable, message: "the value is not optional, so that it is always there: `require()`")
    @_disfavoredOverload
    public func require(or error: @autoclosure () -> any Error) throws -> Value { fatalError("unavailable") }

    /// Says that a value that is not optional is never missing.
    @available(*, unavailable, message: "the value is not optional, so that it is always there: `require(in:)`")
    @_disfavoredOverload
    public func require(or error: @autoclosure () -> any Error, in store: RequestStore) throws -> Value {
        fatalError("unavailable")
    }

    /// The value in the current store; the default where nothing was set.
    ///
    /// - Throws: ``RequestStoreError`` outside a request and after it.
    @available(
        *,
        deprecated,
        message: "use `require()`; for an optional it throws where nothing is set: `value` gives nil there"
    )
    public func get() throws -> Value { try found(in: .required(by: name)) }

    /// The value in `store`; the default where nothing was set.
    ///
    /// - Throws: ``RequestStoreError`` if the request is over.
    @available(
        *,
        deprecated,
        message: "use `require(in:)`; for an optional it throws where nothing is set: `value(in:)` gives nil there"
    )
    public func get(in store: RequestStore) throws(RequestStoreError) -> Value { try found(in: store) }
}
