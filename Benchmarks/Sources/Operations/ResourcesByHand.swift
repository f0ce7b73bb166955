/// A resource's two closures, stored as a `RequestResource` stores them, and what became of the request.
private struct ByHand: Sendable {
    enum Outcome {
        case completed
        case failed(any Error)
    }

    let acquire: @Sendable () async throws -> Thing
    let release: @Sendable (Thing, Outcome) async throws -> Void

    static let all = (0..<4).map { _ in
        ByHand {
            Thing.shared
        } release: { _, _ in
        }
    }
}

extension Cost {
    /// What resources are compared with: the closures awaited by hand, the releases in a task that no cancellation reaches.
    static let resourcesByHand = [
        Cost(name: "by hand: 1 resource, its release shielded") { count in
            var sum = 0
            for _ in 0..<count {
                let resource = ByHand.all[0]
                let thing = try await resource.acquire()
                sum &+= thing.number
                try await Task.immediate { try await resource.release(thing, .completed) }.value
            }
            return sum
        },
        Cost(name: "by hand: 1 transaction") { count in
            var sum = 0
            for _ in 0..<count {
                sum &+= try await Thing.withTransaction { thing in thing.number }
            }
            return sum
        },
        Cost(name: "by hand: 4 resources, their releases shielded") { count in
            var sum = 0
            for _ in 0..<count {
                let resources = ByHand.all
                let things = try await (
                    resources[0].acquire(), resources[1].acquire(), resources[2].acquire(), resources[3].acquire()
                )
                sum &+= things.0.number &+ things.1.number &+ things.2.number &+ things.3.number
                try await Task.immediate {
                    try await resources[3].release(things.3, .completed)
                    try await resources[2].release(things.2, .completed)
                    try await resources[1].release(things.1, .completed)
                    try await resources[0].release(things.0, .completed)
                }.value
            }
            return sum
        },
    ]
}
