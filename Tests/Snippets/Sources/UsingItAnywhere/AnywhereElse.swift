import Dispatch
import PerRequest
import Synchronization

// snippet UsingItAnywhere.md: A function that handles events

// snippet UsingItAnywhere.md: A queue's worker

// snippet UsingItAnywhere.md: A command

// snippet UsingItAnywhere.md: An OpenAPI server's middleware

// snippet UsingItAnywhere.md: A callback

// MARK: - What they need

let legacyQueue = DispatchQueue(label: "legacy")

enum Current {
    static let customer = RequestLocal<String?>("customer")
    static let journal = RequestLocal<Journal?>("journal")

    static let transaction = RequestResource("transaction", released: .beforeResponse) {
        "transaction"
    } release: { _, outcome in
        journal.value?.note("\(outcome.verdict)")
    }
}

struct OrderEvent: Sendable {
    struct Invalid: Error {}

    let id: String
    let customer: String?

    static func all(in file: String) throws -> [OrderEvent] {
        ["1", "2"].map { OrderEvent(id: $0, customer: nil) }
    }
}

struct Receipt: Sendable, Equatable {
    let event: String
    let customer: String?
    let request: String?
}

enum Orders {
    @discardableResult
    static func place(_ event: OrderEvent) async throws -> Receipt {
        _ = try await Current.transaction.get()
        if event.customer == "nobody" { throw OrderEvent.Invalid() }
        return receipt(for: event, customer: Current.customer.value)
    }

    static func receipt(for event: OrderEvent, customer: String?) -> Receipt {
        Receipt(event: event.id, customer: customer, request: RequestStore.current?.id)
    }
}

struct Message: Sendable {
    let id: String
    let event: OrderEvent
}

protocol MessageQueue: Sendable {
    var messages: AsyncThrowingStream<Message, any Error> { get }
    func acknowledge(_ message: Message) async throws
    func giveBack(_ message: Message, after error: any Error) async throws
}

/// The shape of ArgumentParser's.
protocol AsyncParsableCommand {
    mutating func run() async throws
}

/// The shapes of OpenAPIRuntime's.
protocol ServerMiddleware: Sendable {
    func intercept(
        _ request: HTTPRequest,
        body: HTTPBody?,
        operationID: String,
        next: @Sendable (HTTPRequest, HTTPBody?) async throws -> (HTTPResponse, HTTPBody?)
    ) async throws -> (HTTPResponse, HTTPBody?)
}

struct HTTPRequest: Sendable {
    let customer: String?
}

struct HTTPResponse: Sendable {
    let status: Int
}

struct HTTPBody: Sendable {
    let text: String
}

/// What happened, in order.
final class Journal: Sendable {
    private let lines = Mutex<[String]>([])

    var entries: [String] { lines.withLock { $0 } }

    func note(_ line: String) { lines.withLock { $0.append(line) } }
}
