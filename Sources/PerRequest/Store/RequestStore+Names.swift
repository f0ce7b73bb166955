extension RequestStore {
    /// Reads a value whose key is known only at run time.
    ///
    /// Names and typed keys are apart: a ``RequestLocal`` is not found by its name. Prefer a typed key where the key is
    /// known when you write the code.
    ///
    /// - Parameters:
    ///   - name: The name under which the value was set.
    ///   - type: The type it was set as.
    /// - Returns: The value, or `nil` if nothing was set under this name.
    /// - Throws: ``RequestStoreError`` if the request is over or the value is of another type.
    public func get<Value: Sendable>(_ name: String, as type: Value.Type = Value.self) throws -> Value? {
        switch core.read(.name(name)) {
        case .unset: return nil
        case .ended: throw core.error(.requestEnded, key: name)
        case .found(.word, _): preconditionFailure("a named value is in a box")
        case .found(.box(let box), _):
            guard let box = box as? Box<Value> else {
                let stored = (box as? any NamedBox)?.typeName ?? "?"
                throw core.error(.typeMismatch(stored: stored, requested: "\(Value.self)"), key: name)
            }
            return box.value
        }
    }

    /// Sets a value under a name known only at run time, for the rest of the request.
    ///
    /// - Parameters:
    ///   - name: Any name.
    ///   - value: The value; `get` has to ask for this very type.
    /// - Throws: ``RequestStoreError`` if the request is over.
    public func set<Value: Sendable>(_ name: String, to value: Value) throws {
        guard core.write(.box(Box(value)), for: .name(name)) else { throw core.error(.requestEnded, key: name) }
    }

    /// Removes the value under a name.
    ///
    /// Does nothing if there is none.
    ///
    /// - Parameter name: The name under which the value was set.
    /// - Throws: ``RequestStoreError`` if the request is over.
    public func remove(_ name: String) throws {
        guard core.write(nil, for: .name(name)) else { throw core.error(.requestEnded, key: name) }
    }
}

/// A box that can say what is in it.
private protocol NamedBox {
    var typeName: String { get }
}

extension Box: NamedBox {
    fileprivate var typeName: String { "\(Value.self)" }
}
