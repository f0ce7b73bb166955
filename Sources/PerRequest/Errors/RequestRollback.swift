/// Thrown by ``RequestUse`` into an `around` function when the request did not succeed.
///
/// It tells the function (`withTransaction`, for example) to roll back. Let it through: a function that swallows it may
/// have committed, which is reported as a release failure.
public struct RequestRollback: Error {
    /// What became of the request.
    public let outcome: RequestOutcome
}

extension RequestRollback: CustomStringConvertible {
    /// The outcome that asks for the rollback.
    public var description: String { "The request did not succeed (\(outcome)); roll back." }
}

extension RequestRollback {
    /// How many errors deep, and at how many values in all, a rollback is looked for.
    static let searchLimits = (depth: 16, values: 1_000)

    /// Whether `error` is a rollback or carries one, as drivers that wrap the error of a transaction's closure do: in a
    /// stored property, its own or inherited, or a payload, however many tuples, collections, optionals and structs are
    /// around it.
    ///
    /// An object that is no error is not looked into: others may be changing it. To be called under no lock: a mirror may be
    /// a user's code.
    static func isCarried(by error: any Error) -> Bool {
        // Errors first: what else there is may be long.
        var errors = Fifo<(value: Any, depth: Int)>()
        var others = errors
        errors.append((error, 0))
        var objects: Set<ObjectIdentifier> = []
        var left = searchLimits.values
        while let (value, depth) = errors.popFirst() ?? others.popFirst() {
            if value is RequestRollback { return true }
            var next: Mirror? = Mirror(reflecting: value)
            if next?.displayStyle == .class {
                guard value is any Error, objects.insert(ObjectIdentifier(value as AnyObject)).inserted else {
                    continue
                }
            }
            while let mirror = next, left > 0 {
                left -= 1
                for child in mirror.children.prefix(left) {
                    left -= 1
                    if let error = child.value as? any Error {
                        if depth < searchLimits.depth { errors.append((error, depth + 1)) }
                    } else {
                        others.append((child.value, depth))
                    }
                }
                next = mirror.superclassMirror
            }
        }
        return false
    }
}
