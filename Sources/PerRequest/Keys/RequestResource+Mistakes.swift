// What does not compile, in words: the compiler's own would name a type that nobody wrote.

extension RequestResource where Value: Sendable {
    /// Says what is wrong with a body that does not return what `use` returned.
    @available(
        *,
        unavailable,
        message: "return what `use(_:)` returned, or `use.receipt()` where the function returns nothing"
    )
    public static func around(
        _ name: String,
        released: ReleasePoint = .afterResponse,
        limits: ResourceLimits = ResourceLimits(),
        _ body: @escaping @Sendable (RequestUse<Value>) async throws -> Void
    ) -> RequestResource {
        fatalError("unavailable")
    }

    /// Says what is wrong with a body that does not return what `use` returned.
    @available(
        *,
        unavailable,
        message: "return what `use(_:)` returned, or `use.receipt()` where the function returns nothing"
    )
    public static func around<Base: Sendable>(
        _ name: String,
        on base: RequestResource<Base>,
        released: ReleasePoint = .afterResponse,
        limits: ResourceLimits = ResourceLimits(),
        _ body: @escaping @Sendable (Base, RequestUse<Value>) async throws -> Void
    ) -> RequestResource {
        fatalError("unavailable")
    }
}

extension RequestResource where Value == Never {
    /// Says what is wrong with a body that never calls `use`.
    @available(*, unavailable, message: "call `use(_:)` with the resource, exactly once, and return what it returned")
    public static func around<Result>(
        _ name: String,
        released: ReleasePoint = .afterResponse,
        limits: ResourceLimits = ResourceLimits(),
        _ body: @escaping @Sendable (RequestUse<Never>) async throws -> Result
    ) -> RequestResource {
        fatalError("unavailable")
    }

    /// Says what is wrong with a body that never calls `use`.
    @available(*, unavailable, message: "call `use(_:)` with the resource, exactly once, and return what it returned")
    public static func around<Base: Sendable, Result>(
        _ name: String,
        on base: RequestResource<Base>,
        released: ReleasePoint = .afterResponse,
        limits: ResourceLimits = ResourceLimits(),
        _ body: @escaping @Sendable (Base, RequestUse<Never>) async throws -> Result
    ) -> RequestResource {
        fatalError("unavailable")
    }
}

/// Isolates what cannot be called: ``RequestResource/get(fileID:line:)`` of a value that is not `Sendable`.
///
/// The compiler takes an unavailable function for no better than one whose value has to be `Sendable`. It takes one that is
/// deprecated; that its result cannot leave this actor is the error.
@_documentation(visibility: internal)
@globalActor public actor UseExclusively {
    /// The actor.
    public static let shared = UseExclusively()
}

extension RequestResource {
    /// Says how a value that is not `Sendable` is used.
    @_documentation(visibility: internal)
    @UseExclusively
    @available(
        *,
        deprecated,
        message: "the value is not Sendable: use it in the body of `useExclusively { value in … }`"
    )
    public func get(fileID: String = #fileID, line: UInt = #line) async throws -> Value { fatalError("unavailable") }

    /// Says how a value that is not `Sendable` is used.
    @_documentation(visibility: internal)
    @UseExclusively
    @available(
        *,
        deprecated,
        message: "the value is not Sendable: use it in the body of `useExclusively { value in … }`"
    )
    public func get(in store: RequestStore, fileID: String = #fileID, line: UInt = #line) async throws -> Value {
        fatalError("unavailable")
    }

    /// Says how a value that is not `Sendable` is used.
    @_documentation(visibility: internal)
    @UseExclusively
    @available(
        *,
        deprecated,
        message: "the value is not Sendable: use it in the body of `useExclusively { value in … }`"
    )
    public func use<Result>(
        fileID: String = #fileID,
        line: UInt = #line,
        _ body: (Value) async throws -> Result
    ) async throws -> Result { fatalError("unavailable") }

    /// Says how a value that is not `Sendable` is used.
    @_documentation(visibility: internal)
    @UseExclusively
    @available(
        *,
        deprecated,
        message: "the value is not Sendable: use it in the body of `useExclusively { value in … }`"
    )
    public func use<Result>(
        in store: RequestStore,
        fileID: String = #fileID,
        line: UInt = #line,
        _ body: (Value) async throws -> Result
    ) async throws -> Result { fatalError("unavailable") }

    /// Says how a value that is not `Sendable` is used.
    @_documentation(visibility: internal)
    @UseExclusively
    @available(
        *,
        deprecated,
        message: "the value is not Sendable: use it in the body of `useExclusively { value in … }`"
    )
    public var valueIfHeld: Value? { fatalError("unavailable") }
}
