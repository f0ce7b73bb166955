import PerRequest

/// What a request leases, as a client of a database is.
final class Thing: Sendable {
    let text = "hello"

    static let shared = Thing()
}

enum Current {
    /// A resource that does not suspend, as an application declares one.
    static let thing = RequestResource("thing") {
        Thing.shared
    } release: { _, _ in
    }
}

/// The same without the library: two closures, stored as a `RequestResource` stores them, and what became of the request.
struct ByHand: Sendable {
    enum Outcome: Sendable {
        case completed
        case failed(any Error)
    }

    let acquire: @Sendable () async throws -> Thing
    let release: @Sendable (Thing, Outcome) async throws -> Void

    static let thing = ByHand {
        Thing.shared
    } release: { _, _ in
    }

    /// Leases, answers, and gives back in a task that no cancellation reaches.
    func use<Answer>(_ answer: (Thing) async throws -> Answer) async throws -> Answer {
        let thing = try await acquire()
        let result: Answer
        do {
            result = try await answer(thing)
        } catch {
            try? await Task.immediate { try await release(thing, .failed(error)) }.value
            throw error
        }
        try await Task.immediate { try await release(thing, .completed) }.value
        return result
    }
}
