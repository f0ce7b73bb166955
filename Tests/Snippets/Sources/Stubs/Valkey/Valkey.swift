// A stub: declarations of valkey-swift 1.4.0, as far as the guides use them, looked up in November 2026.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public protocol ValkeyClientProtocol: Sendable {
    associatedtype Subscription: AsyncSequence<ValkeySubscriptionMessage, ValkeyClientError>
}

extension ValkeyClientProtocol {
    public func subscribe<Value>(
        to channels: String...,
        process: (Subscription) async throws -> Value
    ) async throws -> Value {
        fatalError("a stub")
    }

    public func unwatch() async throws(ValkeyClientError) {}
}

public final class ValkeyClient: ValkeyClientProtocol {
    public typealias Subscription = ValkeyClientSubscription

    public init() {}

    public func withConnection<Value>(
        readOnly: Bool = false,
        operation: (ValkeyConnection) async throws -> sending Value
    ) async throws -> Value {
        fatalError("a stub")
    }
}

public final actor ValkeyConnection: ValkeyClientProtocol {
    public typealias Subscription = ValkeyClientSubscription
}

public struct ValkeyClientSubscription: AsyncSequence, Sendable {
    public typealias Element = ValkeySubscriptionMessage

    public struct AsyncIterator: AsyncIteratorProtocol {
        public mutating func next() async throws(ValkeyClientError) -> ValkeySubscriptionMessage? { nil }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(ValkeyClientError) -> ValkeySubscriptionMessage? {
            nil
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator() }
}

public struct ValkeySubscriptionMessage: Sendable, Equatable {
    public let channel: String
}

public struct ValkeyClientError: Error {}
