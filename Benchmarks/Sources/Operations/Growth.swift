import PerRequest
import PerRequestAdapters

/// Something whose cost may grow with how many there are of something.
struct Growth: Sendable {
    let name: String
    let sizes: [Int]

    /// Does it `count` times with `size` of them.
    let run: @Sendable (_ size: Int, _ count: Int) async throws -> Int

    /// It with each of the sizes.
    var costs: [Cost] {
        sizes.map { size in Cost(name: "\(name): \(size)") { count in try await run(size, count) } }
    }

    private static let upTo64 = [1, 2, 4, 8, 16, 32, 64]

    static let values = [
        Growth(name: "read a value, by values set", sizes: upTo64) { size, count in
            try await withRequestStore { _ in
                for number in Current.many.prefix(size) { try number.set(1) }
                let last = Current.many[size - 1]
                var sum = 0
                for _ in 0..<count { sum &+= last.value }
                return sum
            }
        },
        Growth(name: "open, set values, close, by values", sizes: upTo64) { size, count in
            for _ in 0..<count {
                try await withRequestStore { _ in
                    for number in Current.many.prefix(size) { try number.set(1) }
                }
            }
            return size
        },
    ]

    static let resources = [
        Growth(name: "ready hit, by resources held", sizes: upTo64) { size, count in
            try await withRequestStore { _ in
                for resource in Resources.all.prefix(size) { _ = try await resource.get() }
                var sum = 0
                for _ in 0..<count { sum &+= try await Resources.all[size - 1].get().number }
                return sum
            }
        },
        Growth(name: "open, acquire resources, close, by resources", sizes: upTo64) { size, count in
            for _ in 0..<count {
                try await withRequestStore { _ in
                    for resource in Resources.all.prefix(size) { _ = try await resource.get() }
                }
            }
            return size
        },
    ]

    static let nesting = [
        Growth(name: "read a root's value, by depth", sizes: [1, 2, 4, 8, 16, 32]) { size, count in
            try await withRequestStore { _ in
                try Current.number.set(1)
                return try await nested(size) {
                    var sum = 0
                    for _ in 0..<count { sum &+= Current.number.value }
                    return sum
                }
            }
        },
        Growth(name: "open and close a child, by depth", sizes: [1, 2, 4, 8, 16, 32]) { size, count in
            try await nested(size - 1) {
                var sum = 0
                for _ in 0..<count { sum &+= try await withRequestStore(.child) { _ in await one() } }
                return sum
            }
        },
    ]

    static let requests = [
        Growth(name: "read a value, by open requests", sizes: [1, 10, 100, 1_000, 10_000]) { size, count in
            try await beside(size - 1) {
                try await withRequestStore { _ in
                    try Current.setAll()
                    var sum = 0
                    for _ in 0..<count { sum &+= Current.number.value }
                    return sum
                }
            }
        },
        Growth(name: "open and close a store, by open requests", sizes: [1, 10, 100, 1_000, 10_000]) { size, count in
            try await beside(size - 1) {
                var sum = 0
                for _ in 0..<count { sum &+= try await withRequestStore { _ in await one() } }
                return sum
            }
        },
        Growth(name: "acquire a resource, by open requests", sizes: [1, 10, 100, 1_000, 10_000]) { size, count in
            try await beside(size - 1, holdingResource: true) {
                var sum = 0
                for _ in 0..<count {
                    sum &+= try await withRequestStore { _ in try await Resources.all[0].get().number }
                }
                return sum
            }
        },
    ]

    static let jobs = [
        Growth(name: "open, hand jobs over, close, by jobs", sizes: upTo64) { size, count in
            for _ in 0..<count {
                try await withRequestStore { _ in
                    for _ in 0..<size { try RequestStore.afterResponse("work") { _ = await one() } }
                }
            }
            return size
        }
    ]

    static let all = values + resources + nesting + requests + jobs
}

/// Runs `body` in a child of a child … of the current store.
private func nested(_ depth: Int, _ body: () async throws -> Int) async throws -> Int {
    guard depth > 0 else { return try await body() }
    return try await withRequestStore(.child) { _ in try await nested(depth - 1, body) }
}

/// Runs `body` while other requests are open, each with values, and maybe with a resource.
private func beside(_ others: Int, holdingResource: Bool = false, _ body: () async throws -> Int) async throws -> Int {
    var open: [RequestScope] = []
    for _ in 0..<others {
        let scope = RequestScope()
        try await scope.run {
            try Current.setAll()
            if holdingResource { _ = try await Resources.all[0].get() }
        }
        open.append(scope)
    }
    let result = try await body()
    for scope in open { await scope.close() }
    return result
}
