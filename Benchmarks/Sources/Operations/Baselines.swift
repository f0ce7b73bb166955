import ServiceContextModule
import Synchronization

enum Bare {
    @TaskLocal static var thing: Thing?
    @TaskLocal static var number = 0
}

private enum ThingKey: ServiceContextKey {
    typealias Value = Thing
}

/// What an explicit parameter costs where it is used.
@inline(never)
private func number(of thing: Thing) -> Int { thing.number }

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
        Cost(name: "explicit parameter: read a class") { count in
            // Two of them, so that the reading is not moved out of the loop.
            let (even, odd) = (Thing(1), Thing(2))
            var sum = 0
            for turn in 0..<count { sum &+= number(of: turn & 1 == 0 ? even : odd) }
            return sum
        },
        Cost(name: "tracing's context: read a class") { count in
            var context = ServiceContext.topLevel
            context[ThingKey.self] = Thing(1)
            return ServiceContext.withValue(context) {
                var sum = 0
                for _ in 0..<count { sum &+= ServiceContext.current?[ThingKey.self]?.number ?? 0 }
                return sum
            }
        },
        Cost(name: "dictionary under a lock: read a class") { count in
            let things = Mutex(Dictionary(uniqueKeysWithValues: (0..<8).map { ($0, Thing($0)) }))
            var sum = 0
            for _ in 0..<count { sum &+= things.withLock { $0[7] }?.number ?? 0 }
            return sum
        },
        Cost(name: "dictionary under a lock: set a number") { count in
            let numbers = Mutex(Dictionary(uniqueKeysWithValues: (0..<8).map { ($0, $0) }))
            for number in 0..<count { numbers.withLock { $0[7] = number } }
            return numbers.withLock { $0[7] } ?? 0
        },
        Cost(name: "by hand: a shielded task") { count in
            var sum = 0
            for _ in 0..<count { sum &+= await Task.immediate { await one() }.value }
            return sum
        },
    ]
}
