/// A key for a value that belongs to the request: settable anywhere in it, readable everywhere, gone after it.
///
/// Declare it once, as a static constant; its identity is the declaration, so that two keys of the same name do not
/// collide.
///
/// ```swift
/// enum Current {
///     static let user = RequestLocal<User?>("user")
///     static let locale = RequestLocal("locale", default: Locale.english)
///     static let traceID = RequestLocal("traceID", initial: { TraceID.random() })
/// }
/// ```
///
/// **Lifetime.** A value is kept until it is replaced, or until the last release of the request has ended.
///
/// **Isolation.** May be used from any task and thread. No code of yours runs under a lock.
public struct RequestLocal<Value: Sendable>: Sendable {
    private enum Default: Sendable {
        case constant(Value)
        case initial(@Sendable () -> Value)
    }

    /// What no read looks at that finds a value: apart, so that the key is small.
    private final class Info: Sendable {
        let name: String
        let `default`: Default
        let declaration: SourcePosition
        let propagation: RequestPropagation<Value>?
        /// Why the key cannot be used, if it cannot.
        let refusal: RequestStoreError.Reason?

        init(
            _ name: String,
            _ default: Default,
            _ declaration: SourcePosition,
            _ propagation: RequestPropagation<Value>?,
            _ refusal: RequestStoreError.Reason?
        ) {
            self.name = name
            self.default = `default`
            self.declaration = declaration
            self.propagation = propagation
            self.refusal = refusal
        }
    }

    /// The name, for errors.
    public var name: String { info.name }

    // The task-local and the tag are read in the caller's module; here, so that a read looks at one static constant.
    @usableFromInline let local: TaskLocal<Carrier>
    @usableFromInline let tag: Int32
    private let info: Info

    var key: ValueKey { .key(tag) }

    private init(
        _ name: String,
        _ default: Default,
        isCarried: Bool,
        _ logged: (@Sendable (Value) -> String?)?,
        _ propagation: RequestPropagation<Value>?,
        _ declaration: SourcePosition
    ) {
        let tag = Declarations.tag(of: name, at: declaration, isCarried: isCarried)
        var refusal: RequestStoreError.Reason?
        if tag == Declarations.refusedTag {
            refusal = .keyMadeAnew(declaredAt: declaration)
        } else if let propagation {
            refusal = PropagatedValues.mark(propagation.name, tag, declaration) {
                propagation.encode($0.as(Value.self))
            }
        }
        info = Info(name, `default`, declaration, propagation, refusal)
        local = Ambient.local
        self.tag = refusal == nil ? tag : Declarations.refusedTag
        if let logged { LoggedValues.mark(name, self.tag) { logged($0.as(Value.self)) } }
    }

    /// Makes a key with a value for requests that set none.
    ///
    /// - Parameters:
    ///   - name: The key's name in errors.
    ///   - value: What is read where nothing was set, outside a request and after it too.
    ///   - carried: Whether `RequestStore.afterResponse` copies the value for the work after the response.
    ///   - logged: How the value is shown in logs; without it, it is not. It runs whenever something is logged, from any task.
    ///   - propagated: Under which name, and as what text, the value may travel to other processes; without it, it does not.
    ///   - fileID: The declaration's file, for errors.
    ///   - line: The declaration's line, for errors.
    ///   - column: The declaration's column, for errors.
    public init(
        _ name: String,
        default value: Value,
        carried: Bool = true,
        logged: (@Sendable (Value) -> String?)? = nil,
        propagated: RequestPropagation<Value>? = nil,
        fileID: String = #fileID,
        line: UInt = #line,
        column: UInt = #column
    ) {
        let declaration = SourcePosition(fileID: fileID, line: line, column: column)
        self.init(name, .constant(value), isCarried: carried, logged, propagated, declaration)
    }

    /// Makes a key whose value is made at its first read, once for every request.
    ///
    /// - Parameters:
    ///   - name: The key's name in errors.
    ///   - initial: Makes the value. Two first reads that race may both call it; all see one result. It may read other
    ///     keys. Outside a request every read calls it, and nothing is kept.
    ///   - carried: Whether `RequestStore.afterResponse` copies the value for the work after the response; where
    ///     it is not there to be copied, that work makes one of its own.
    ///   - logged: How the value is shown in logs; without it, it is not. It runs whenever something is logged, from any task.
    ///   - propagated: Under which name, and as what text, the value may travel to other processes; without it, it does not.
    ///   - fileID: The declaration's file, for errors.
    ///   - line: The declaration's line, for errors.
    ///   - column: The declaration's column, for errors.
    public init(
        _ name: String,
        carried: Bool = true,
        logged: (@Sendable (Value) -> String?)? = nil,
        propagated: RequestPropagation<Value>? = nil,
        fileID: String = #fileID,
        line: UInt = #line,
        column: UInt = #column,
        initial: @escaping @Sendable () -> Value
    ) {
        let declaration = SourcePosition(fileID: fileID, line: line, column: column)
        self.init(name, .initial(initial), isCarried: carried, logged, propagated, declaration)
    }

    /// Makes a key that is `nil` until it is set.
    ///
    /// - Parameters:
    ///   - name: The key's name in errors.
    ///   - carried: Whether `RequestStore.afterResponse` copies the value for the work after the response.
    ///   - logged: How the value is shown in logs; without it, it is not. It runs whenever something is logged, from any task.
    ///   - propagated: Under which name, and as what text, the value may travel to other processes; without it, it does not.
    ///   - fileID: The declaration's file, for errors.
    ///   - line: The declaration's line, for errors.
    ///   - column: The declaration's column, for errors.
    public init<Wrapped>(
        _ name: String,
        carried: Bool = true,
        logged: (@Sendable (Wrapped) -> String?)? = nil,
        propagated: RequestPropagation<Wrapped>? = nil,
        fileID: String = #fileID,
        line: UInt = #line,
        column: UInt = #column
    ) where Value == Wrapped? {
        let declaration = SourcePosition(fileID: fileID, line: line, column: column)
        var shown: (@Sendable (Value) -> String?)?
        if let logged { shown = { value in if let value { logged(value) } else { nil } } }
        self.init(name, .constant(nil), isCarried: carried, shown, propagated?.ofOptional, declaration)
    }

    /// Says what a value that is not optional needs.
    @available(
        *,
        unavailable,
        message:
            "a value that is not optional needs `default:` or `initial:`; or declare it as optional, nil until it is set"
    )
    public init(_ name: String, carried: Bool = true) { fatalError("unavailable") }

    /// The default.
    ///
    /// An `initial` that needs itself, through others perhaps, would never end: nothing can be thrown there.
    private func makeDefault() -> Value {
        switch info.default {
        case .constant(let value): return value
        case .initial(let make):
            if let path = RunningClosure.path(to: key, in: nil) {
                fatalError("\(RequestStoreError(key: name, request: nil, reason: .cycle(path)))")
            }
            return RunningClosure.run(key, name, in: nil, make)
        }
    }
}

// MARK: - The current store

extension RequestLocal {
    /// The value in the current store; the default where nothing was set, outside a request, and after it.
    @inlinable public var value: Value {
        let carrier = local.get()
        guard let slot = carrier.slot else { return valueWhereUnset() }
        return valueAtHome(slot, carrier.store) ?? valueElsewhere(slot, carrier.store) ?? valueWhereUnset()
    }

    /// The value, if it is at the key's home place in the slot: nearly always.
    @inlinable
    func valueAtHome(_ slot: Slot, _ store: Int) -> Value? {
        if Word.fits(Value.self) { return slot.memory.word(tag, of: store).map { Word.value(of: $0, as: Value.self) } }
        return slot.memory.value(tag, of: store, as: Value.self)
    }

    /// The value, if it is elsewhere: among many others, or in a parent.
    @inlinable
    @inline(never)
    func valueElsewhere(_ slot: Slot, _ store: Int) -> Value? {
        slot.memory.elsewhere(tag, of: store, throughParents: true)?.valueOnHotPath(as: Value.self)
    }

    @usableFromInline
    func valueWhereUnset() -> Value {
        guard case .initial = info.default else { return makeDefault() }
        return Ambient.core.map { valueWhereUnset(in: RequestStore(core: $0)) } ?? makeDefault()
    }

    /// Sets the value in the current store, for all code of the request that reads it from now on.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - fileID: The caller's file, for errors.
    ///   - line: The caller's line, for errors.
    /// - Throws: ``RequestStoreError`` outside a request and after it.
    public func set(_ value: Value, fileID: String = #fileID, line: UInt = #line) throws {
        let store = try RequestStore.required(by: name, at: SourcePosition(fileID: fileID, line: line))
        try set(value, in: store, fileID: fileID, line: line)
    }

    /// Changes the value in the current store in one step.
    ///
    /// - Parameters:
    ///   - fileID: The caller's file, for errors.
    ///   - line: The caller's line, for errors.
    ///   - body: Changes the value. It runs without a lock, so that it may read other keys; where another task changes the
    ///     value meanwhile it runs again, on the newer one. It must not update the same value itself, nor set it in every
    ///     run.
    /// - Returns: What the last run of `body` returned.
    /// - Throws: ``RequestStoreError`` outside a request and after it, and what `body` throws; then nothing is changed.
    @discardableResult
    public func update<Result>(
        fileID: String = #fileID,
        line: UInt = #line,
        _ body: (inout Value) throws -> Result
    ) throws -> Result {
        let store = try RequestStore.required(by: name, at: SourcePosition(fileID: fileID, line: line))
        return try update(in: store, fileID: fileID, line: line, body)
    }
}

// MARK: - A given store

extension RequestLocal {
    /// The value in `store`; the default where nothing was set, and after the request.
    @inlinable
    public func value(in store: RequestStore) -> Value {
        valueAtHome(store.slot, store.number) ?? valueElsewhere(store.slot, store.number) ?? valueWhereUnset(in: store)
    }

    @usableFromInline
    func valueWhereUnset(in store: RequestStore) -> Value {
        // Only a value that is made has to be looked for again: whoever comes first makes it.
        guard case .initial = info.default else { return makeDefault() }
        do {
            return try found(in: store)
        } catch {
            // After the request, or inside of itself.
            return makeDefault()
        }
    }

    /// The value in `store`; the default where nothing was set.
    func found(in store: RequestStore) throws(RequestStoreError) -> Value {
        try check(in: store)
        switch store.core.read(key) {
        case .found(let value, _): return value.as(Value.self)
        case .ended: throw store.core.error(.requestEnded, key: name)
        case .unset: break
        }
        guard case .initial = info.default else { return makeDefault() }
        if let path = RunningClosure.path(to: key, in: nil) { throw store.core.error(.cycle(path), key: name) }
        let made = makeDefault()
        switch store.core.root.exchange(nil, by: StoredValue(made), for: key) {
        case .written: return made
        case .unexpected(let winner?): return winner.as(Value.self)
        case .unexpected(nil), .ended: throw store.core.error(.requestEnded, key: name)
        }
    }

    /// Sets the value in `store`.
    ///
    /// - Throws: ``RequestStoreError`` if the request is over.
    public func set(
        _ value: Value,
        in store: RequestStore,
        fileID: String = #fileID,
        line: UInt = #line
    ) throws(RequestStoreError) {
        do throws(RequestStoreError) {
            try check(in: store)
            guard store.core.write(StoredValue(value), for: key) else {
                throw store.core.error(.requestEnded, key: name)
            }
        } catch {
            throw error.at(SourcePosition(fileID: fileID, line: line))
        }
    }

    /// Changes the value in `store` in one step; see ``update(fileID:line:_:)``.
    ///
    /// - Throws: ``RequestStoreError`` if the request is over, and inside of an `update` of the same value; what `body`
    ///   throws; then nothing is changed.
    @discardableResult
    public func update<Result>(
        in store: RequestStore,
        fileID: String = #fileID,
        line: UInt = #line,
        _ body: (inout Value) throws -> Result
    ) throws -> Result {
        func failure(_ reason: RequestStoreError.Reason) -> RequestStoreError {
            store.core.error(reason, key: name).at(SourcePosition(fileID: fileID, line: line))
        }
        if tag == Declarations.refusedTag, let refusal = info.refusal { throw failure(refusal) }
        if let path = RunningClosure.path(to: key, in: store.number) { throw failure(.cycle(path)) }
        var base: StoredValue?
        var present: StoredValue?
        switch store.core.read(key) {
        case .found(let value, let isOwn):
            base = value
            present = isOwn ? value : nil
        case .unset: break
        case .ended: throw failure(.requestEnded)
        }
        // Nobody comes first that often but the body itself.
        for _ in 0..<10_000 {
            var value = base?.as(Value.self) ?? makeDefault()
            let result = try RunningClosure.run(key, name, in: store.number) { try body(&value) }
            switch store.core.exchange(present, by: StoredValue(value), for: key) {
            case .written: return result
            case .unexpected(let newer):
                base = newer
                present = newer
            case .ended: throw failure(.requestEnded)
            }
        }
        throw failure(.cycle([name, name]))
    }

    /// The error where nothing has been set.
    func unset(in store: RequestStore) -> RequestStoreError {
        store.core.error(namesake(setIn: store.core).map(reason) ?? .unset, key: name)
    }

    /// The declaration of another key of this name that has been set.
    private func namesake(setIn core: StoreCore) -> SourcePosition? {
        Declarations.others(named: name, than: tag).first { other in
            if case .found = core.read(.key(other.tag)) { true } else { false }
        }?.declaration
    }

    private func reason(_ namesake: SourcePosition) -> RequestStoreError.Reason {
        .otherKeySet(declaredAt: info.declaration, other: namesake)
    }

    /// A key that is one of too many, or cannot travel, can be neither set nor asked for.
    private func check(in store: RequestStore) throws(RequestStoreError) {
        guard tag == Declarations.refusedTag, let refusal = info.refusal else { return }
        throw store.core.error(refusal, key: name)
    }

    /// How the key's values travel, if they may.
    package var propagation: RequestPropagation<Value>? { info.propagation }

    /// Why the key cannot be used, if it cannot.
    package var refusal: RequestStoreError? {
        info.refusal.map { RequestStoreError(key: name, request: nil, reason: $0) }
    }
}
