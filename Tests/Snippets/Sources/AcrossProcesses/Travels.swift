import PerRequest
import PerRequestTracing
import Tracing

// snippet AcrossProcesses.md: Overview

// snippet AcrossProcesses.md: Send and accept

// snippet AcrossProcesses.md: A queue

// snippet AcrossProcesses.md: What leaves

// MARK: - What they need

struct User: Sendable {}

struct Order: Sendable {}

struct Message: Sendable {
    var id = ""
    let body: Order
    let headers: [String: String]
}

protocol MessageQueue: Sendable {
    associatedtype Messages: AsyncSequence<Message, any Error>

    var messages: Messages { get }

    func send(_ message: Message) async throws
}

enum Orders {
    static func place(_ order: Order) async throws {}
}

struct Payments: Sendable {
    func charge(_ order: Order) async throws {}
}

let payments = Payments()
