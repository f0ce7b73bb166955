extension RequestLocal {
    /// The value in the current store; the default where nothing was set.
    ///
    /// Like ``value``, for code that must not go on without a request: it throws where ``value`` would fall back to the
    /// default. Where the value is optional it throws for `nil` too, and what it gives is not optional.
    ///
    /// **Lifetime.** The value is yours: it stays what it is when another one is set, and when the request is over.
    ///
    /// **Isolation.** May be called from any task and thread; it never waits.
    ///
    /// - Parameters:
    ///   - fileID: The caller's file, for errors.
    ///   - line: The caller's line, for errors.
    /// - Returns: The value.
    /// - Throws: ``RequestStoreError`` outside a request and after it.
    @_disfavoredOverload
    public func require(fileID: String = #fileID, line: UInt = #line) throws -> Value {
        let store = try RequestStore.required(by: name, at: SourcePosition(fileID: fileID, line: line))
        return try require(in: store, fileID: fileID, line: line)
    }

    /// The value in the current store, which must have been set.
    ///
    /// **Lifetime.** The value is yours: it stays what it is when another one is set, and when the request is over.
    ///
    /// **Isolation.** May be called from any task and thread; it never waits.
    ///
    /// - Parameters:
    ///   - fileID: The caller's file, for errors.
    ///   - line: The caller's line, for errors.
    /// - Returns: The value.
    /// - Throws: ``RequestStoreError`` where it is `nil`, outside a request and after it.
    public func require<Wrapped>(
        fileID: String = #fileID,
        line: UInt = #line
    ) throws -> Wrapped where Value == Wrapped? {
        let store = try RequestStore.required(by: name, at: SourcePosition(fileID: fileID, line: line))
        return try require(in: store, fileID: fileID, line: line)
    }

    /// The value in the current store, or an error of your own where it is `nil`.
    ///
    /// ```swift
    /// let user = try Current.user.require(or: HTTPError(.unauthorized))
    /// ```
    ///
    /// **Lifetime.** The value is yours: it stays what it is when another one is set, and when the request is over.
    ///
    /// **Isolation.** May be called from any task and thread; it never waits.
    ///
    /// - Parameters:
    ///   - error: What is thrown where the value is `nil`. It is made only then, outside of any lock.
    ///   - fileID: The caller's file, for errors.
    ///   - line: The caller's line, for errors.
    /// - Returns: The value.
    /// - Throws: `error` where the value is `nil`. What is a mistake in the program and not the client's to mend stays a
    ///   ``RequestStoreError``: outside a request, after it, and where the value has been set with another key of the same
    ///   declaration, which makes a new one at each access.
    public func require<Wrapped>(
        or error: @autoclosure () -> any Error,
        fileID: String = #fileID,
        line: UInt = #line
    ) throws -> Wrapped where Value == Wrapped? {
        let store = try RequestStore.required(by: name, at: SourcePosition(fileID: fileID, line: line))
        return try require(or: error(), in: store, fileID: fileID, line: line)
    }
}

// MARK: - A given store

extension RequestLocal {
    /// The value in `store`; the default where nothing was set; see ``require(fileID:line:)->Value``.
    ///
    /// - Throws: ``RequestStoreError`` if the request is over.
    @_disfavoredOverload
    public func require(
        in store: RequestStore,
        fileID: String = #fileID,
        line: UInt = #line
    ) throws(RequestStoreError) -> Value {
        do throws(RequestStoreError) {
            return try found(in: store)
        } catch {
            throw error.at(SourcePosition(fileID: fileID, line: line))
        }
    }

    /// The value in `store`, which must have been set; see ``require(fileID:line:)->Wrapped``.
    ///
    /// - Throws: ``RequestStoreError`` where it is `nil`, and if the request is over.
    public func require<Wrapped>(
        in store: RequestStore,
        fileID: String = #fileID,
        line: UInt = #line
    ) throws(RequestStoreError) -> Wrapped where Value == Wrapped? {
        do throws(RequestStoreError) {
            guard let value = try found(in: store) else { throw unset(in: store) }
            return value
        } catch {
            throw error.at(SourcePosition(fileID: fileID, line: line))
        }
    }

    /// The value in `store`, or an error of your own where it is `nil`; see ``require(or:fileID:line:)``.
    ///
    /// - Throws: `error` where the value is `nil`; ``RequestStoreError`` if the request is over, and where the key's
    ///   declaration makes a new key at each access.
    public func require<Wrapped>(
        or error: @autoclosure () -> any Error,
        in store: RequestStore,
        fileID: String = #fileID,
        line: UInt = #line
    ) throws -> Wrapped where Value == Wrapped? {
        do throws(RequestStoreError) {
            return try require(in: store, fileID: fileID, line: line)
        } catch {
            switch error.reason {
            case .unset: break
            case .otherKeySet(let here, let other) where here != other: break
            default: throw error
            }
        }
        throw error()
    }
}
