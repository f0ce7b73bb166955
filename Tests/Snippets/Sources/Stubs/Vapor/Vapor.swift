// A stub: declarations of Vapor 4.122.0, as far as the guides use them, looked up in November 2026.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public final class Request: Sendable {
    public var storage: Storage {
        get { Storage() }
        set {}
    }
}

public final class Response: Sendable {}

public protocol AsyncResponder: Sendable {
    func respond(to request: Request) async throws -> Response
}

public protocol StorageKey {
    associatedtype Value: Sendable
}

public struct Storage: Sendable {
    public subscript<Key>(_ key: Key.Type) -> Key.Value? where Key: StorageKey {
        get { nil }
        set {}
    }
}
