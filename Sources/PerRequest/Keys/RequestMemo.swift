/// A function that is called once for every request and arguments.
///
/// ```swift
/// static let userByID = RequestMemo("userByID") { (id: User.ID) in try await connection.get().user(id) }
///
/// let bob = try await Current.userByID(42)
/// ```
///
/// **Lifetime.** A value is kept until it is forgotten, or until the memo's release point, and no longer than what the
/// function has used to make it: when a resource is released or lost, or another memo's value is forgotten, so are the
/// values that were built on it.
///
/// **Isolation.** May be called from any task of the request. Callers with equal arguments that come while the function
/// runs wait for it together. It runs in a task that the store owns, with the store current. `==` and `hash(into:)` of the
/// arguments never run under a lock.
///
/// **Cancellation.** Cancelling a caller ends its own wait and nothing else.
///
/// **Errors.** An error goes to all that wait, and is not kept: the next caller calls the function again.
public struct RequestMemo<Value: Sendable, each Argument: Hashable & Sendable>: Sendable {
    /// The name, for errors.
    public let name: String

    // The task-local and the tag are read in the caller's module.
    @usableFromInline let local: TaskLocal<Carrier>
    @usableFromInline let tag: Int32
    let id: Int
    private let point: ReleasePoint
    /// Where the memo is declared: its calls have no place for one.
    private let position: SourcePosition
    private let limits: ResourceLimits
    private var body: @Sendable @concurrent (repeat each Argument) async throws -> Value

    /// The identity of those of which one declaration has made too many.
    private static var refusedID: Int { 0 }

    /// Makes a key.
    ///
    /// - Parameters:
    ///   - name: The key's name in errors.
    ///   - until: How long values are kept. A function that uses a resource that is released before the response can keep
    ///     its values only until then.
    ///   - timeout: How long the function may take. Then it is cancelled and its callers get an error.
    ///   - fileID: The declaration's file, for errors and reports.
    ///   - line: The declaration's line, for errors and reports.
    ///   - column: The declaration's column, for errors and reports.
    ///   - body: The function.
    public init(
        _ name: String,
        until: ReleasePoint = .afterResponse,
        timeout: Duration = .seconds(30),
        fileID: String = #fileID,
        line: UInt = #line,
        column: UInt = #column,
        _ body: @escaping @Sendable @concurrent (repeat each Argument) async throws -> Value
    ) {
        self.name = name
        point = until
        position = SourcePosition(fileID: fileID, line: line, column: column)
        let isAdmitted = Declarations.admits(position)
        id = isAdmitted ? Identity.nextKey() : Self.refusedID
        tag = isAdmitted ? ValueKey.tag(Identity.nextLocal(), isCarried: false) : Declarations.refusedTag
        local = Ambient.local
        limits = ResourceLimits(acquire: timeout)
        self.body = body
    }

    /// The value for these arguments in the current store.
    ///
    /// - Throws: What the function throws; `CancellationError` if this caller is cancelled; ``RequestStoreError`` outside a
    ///   request, after it, if the function exceeds its limit, and if the value would depend on itself.
    @inlinable
    @inline(__always)
    public func callAsFunction(_ argument: repeat each Argument) async throws -> Value {
        // A function that does not wait costs half as much as one that may.
        if let value = valueAskedForAgain(repeat each argument) { return value }
        return try await called(with: repeat each argument)
    }

    /// The value, if it was asked for before in the current store, and no factory notes that it is asked for.
    @inlinable
    func valueAskedForAgain(_ argument: repeat each Argument) -> Value? {
        let carrier = local.get()
        guard !carrier.hasSurroundings, let slot = carrier.slot,
            let hits = slot.memory.value(tag, of: carrier.store, as: MemoHits.self)
                ?? slot.memory.elsewhere(tag, of: carrier.store, throughParents: false)?
                .valueOnHotPath(as: MemoHits.self),
            let hit = hits.find(MemoArgumentsOf<repeat each Argument>.hash(repeat each argument)),
            hit.has(repeat each argument)
        else { return nil }
        return hit.box.valueOnHotPath(as: Value.self)
    }

    @usableFromInline
    func called(with argument: repeat each Argument) async throws -> Value {
        try await value(of: repeat each argument, in: .required(by: name))
    }

    /// The value for these arguments in `store`; see ``callAsFunction(_:)``.
    public func value(of argument: repeat each Argument, in store: RequestStore) async throws -> Value {
        let core = store.core
        guard id != Self.refusedID else { throw core.error(.keyMadeAnew(declaredAt: position), key: name) }
        while true {
            let (key, entry) = core.memoEntry(id, MemoArgumentsOf(repeat each argument), until: point)
            // A factory notes what it asks for, and a child that has ended asks for nothing.
            if let box = entry.box, core.parent == nil, Ambient.surroundings?.isInsideEntry != true {
                core.hit(key, id: entry.id, tag)
                return box.value(as: Value.self)
            }
            let resource = ResourceInfo(
                id: entry.id,
                name: name,
                point: point,
                limits: limits,
                memo: key,
                .memo(replacement(in: core).call(repeat each argument))
            )
            do {
                return try await core.acquire(resource, from: position).box.value(as: Value.self)
            } catch is MemoTable.EntryGone {
                // It was forgotten, or another caller was refused, since it was found.
            }
        }
    }

    /// The same memo with another function.
    func calling(_ body: @escaping @Sendable @concurrent (repeat each Argument) async throws -> Value) -> Self {
        var memo = self
        memo.body = body
        return memo
    }

    private func replacement(in core: StoreCore) -> Self {
        guard let replacement = core.configuration.memo(id) else { return self }
        return replacement as? Self ?? self
    }

    private func call(_ argument: repeat each Argument) -> @Sendable () async throws -> AnyBox {
        let arguments = (repeat each argument)
        let body = body
        return { Box(try await body(repeat each arguments)) }
    }

    /// Forgets the value for these arguments in the current store: the next call calls the function.
    ///
    /// A call that is under way is delivered to those that wait for it, and not kept.
    ///
    /// - Throws: ``RequestStoreError`` outside a request.
    public func forget(_ argument: repeat each Argument) throws {
        let store = try RequestStore.required(by: name)
        store.core.forget(memo: id, MemoArgumentsOf(repeat each argument))
    }

    /// Forgets the values for all arguments in the current store: the next calls call the function.
    ///
    /// Calls that are under way are delivered to those that wait for them, and not kept.
    ///
    /// - Throws: ``RequestStoreError`` outside a request.
    public func forgetAll() throws {
        try RequestStore.required(by: name).core.forgetAll(memo: id)
    }
}
