import PerRequest
import Testing

@testable import UsingItAnywhere

@Suite("The guide to using it anywhere", .timeLimit(.minutes(10)))
struct GuideTests {
    @Test("A handler of events names its event in its store")
    func handler() async throws {
        let receipt = try await handle(OrderEvent(id: "7", customer: "alice"))
        #expect(receipt == Receipt(event: "7", customer: "alice", request: "7"))
        await #expect(throws: OrderEvent.Invalid.self) { try await handle(OrderEvent(id: "8", customer: "nobody")) }
    }

    private final class Queue: MessageQueue {
        let journal = Journal()
        let messages: AsyncThrowingStream<Message, any Error>

        init(_ events: [OrderEvent]) {
            messages = AsyncThrowingStream { continuation in
                for event in events { continuation.yield(Message(id: event.id, event: event)) }
                continuation.finish()
            }
        }

        func acknowledge(_ message: Message) async throws { journal.note("done \(message.id)") }

        func giveBack(_ message: Message, after error: any Error) async throws { journal.note("back \(message.id)") }
    }

    @Test("A worker acknowledges what was committed, and gives back what was not")
    func worker() async throws {
        let queue = Queue([OrderEvent(id: "1", customer: nil), OrderEvent(id: "2", customer: "nobody")])
        try await work(queue)
        #expect(queue.journal.entries == ["done 1", "back 2"])
    }

    @Test("A command runs in a store")
    func command() async throws {
        try await ImportOrders().run()
    }

    @Test("A middleware fills the store that is there, or opens one")
    func middleware() async throws {
        let next: @Sendable (HTTPRequest, HTTPBody?) async throws -> (HTTPResponse, HTTPBody?) = { _, _ in
            (HTTPResponse(status: 200), HTTPBody(text: "\(Current.customer.value ?? "-") \(RequestStore.current!.id)"))
        }
        let request = HTTPRequest(customer: "alice")
        let answer = try await withRequestStore(id: "outer") { _ in
            try await CustomerMiddleware().intercept(request, body: nil, operationID: "x", next: next)
        }
        #expect(answer.1?.text == "alice outer")
        let alone = try await CustomerMiddleware().intercept(request, body: nil, operationID: "x", next: next)
        #expect(alone.1?.text.hasPrefix("alice ") == true)
    }

    @Test("A callback on a queue has the request by its snapshot")
    func callback() async throws {
        let receipt = try await withRequestStore(id: "9") { _ in
            try Current.customer.set("alice")
            return try await withCheckedThrowingContinuation { continuation in
                place(OrderEvent(id: "9", customer: nil)) { continuation.resume(with: $0) }
            }
        }
        #expect(receipt == Receipt(event: "9", customer: "alice", request: "9"))
    }
}
