import Dispatch
import PerRequest

// The examples of `UsingItAnywhere.md`, word for word, and what they need to compile and run.

func handle(_ event: OrderEvent) async throws -> Receipt {
    try await withRequestStore(id: event.id) { _ in
        try Current.customer.set(event.customer)
        return try await Orders.place(event)
    }
}

func work(_ queue: some MessageQueue) async throws {
    for try await message in queue.messages {
        do {
            try await withRequestStore(id: message.id) { _ in
                try await Orders.place(message.event)
            }
            try await queue.acknowledge(message)
        } catch {
            try await queue.giveBack(message, after: error)
        }
    }
}

struct ImportOrders: AsyncParsableCommand {
    var file = "orders.json"

    func run() async throws {
        try await withRequestStore(id: "import \(file)") { _ in
            for event in try OrderEvent.all(in: file) { _ = try await Orders.place(event) }
        }
    }
}

struct CustomerMiddleware: ServerMiddleware {
    func intercept(
        _ request: HTTPRequest,
        body: HTTPBody?,
        operationID: String,
        next: @Sendable (HTTPRequest, HTTPBody?) async throws -> (HTTPResponse, HTTPBody?)
    ) async throws -> (HTTPResponse, HTTPBody?) {
        try await withRequestStore(.join) { _ in
            try Current.customer.set(request.customer)
            return try await next(request, body)
        }
    }
}

func place(_ event: OrderEvent, completion: @escaping @Sendable (Result<Receipt, any Error>) -> Void) {
    let snapshot = RequestSnapshot()
    legacyQueue.async {
        snapshot.run { completion(Result { try Orders.receipt(for: event, customer: Current.customer.require()) }) }
    }
}

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
