import Synchronization

/// A class, as a user or a client is.
final class Thing: Sendable {
    let number: Int

    init(_ number: Int) { self.number = number }
}

enum Bare {
    @TaskLocal static var thing: Thing?
    @TaskLocal static var number = 0
}

extension Cost {
    /// What the library is compared with.
    static let baselines = [
        Cost(name: "bare task-local: read a class") { count in
            Bare.$thing.withValue(Thing(1)) {
                var sum = 0
                for _ in 0..<count { sum &+= Bare.thing?.number ?? 0 }
                return sum
            }
        },
        Cost(name: "bare task-local: read a number") { count in
            Bare.$number.withValue(1) {
                var sum = 0
                for _ in 0..<count { sum &+= Bare.number }
                return sum
            }
        },
        Cost(name: "bare task-local: allocate a class and bind it") { count in
            var sum = 0
            for number in 0..<count {
                sum &+= await Bare.$thing.withValue(Thing(number)) { await one() }
            }
            return sum
        },
        Cost(name: "dictionary under a lock: read a class") { count in
            let things = Mutex(Dictionary(uniqueKeysWithValues: (0..<8).map { ($0, Thing($0)) }))
            var sum = 0
            for _ in 0..<count { sum &+= things.withLock { $0[7] }?.number ?? 0 }
            return sum
        },
        Cost(name: "by hand: 1 resource, its release shielded") { count in
            var sum = 0
            for _ in 0..<count {
                let thing = try await acquire()
                sum &+= thing.number
                await Task.immediate { await release(thing) }.value
            }
            return sum
        },
        Cost(name: "by hand: 4 resources, their releases shielded") { count in
            var sum = 0
            for _ in 0..<count {
                let things = try await (acquire(), acquire(), acquire(), acquire())
                sum &+= things.0.number &+ things.3.number
                await Task.immediate {
                    await release(things.3)
                    await release(things.2)
                    await release(things.1)
                    await release(things.0)
                }.value
            }
            return sum
        },
    ]
}

private let shared = Thing(1)

/// Makes a resource, without suspending.
@inline(never)
func acquire() async throws -> Thing { shared }

/// Ends a resource, without suspending.
@inline(never)
func release(_ thing: Thing) async {}

@inline(never)
func one() async -> Int { 1 }
