import PerRequest

extension Cost {
    /// As an adapter does it.
    private static func scope(_ body: () async throws -> Int) async rethrows -> Int {
        let scope = RequestScope()
        let result = try await scope.run(body)
        await scope.settle()
        await scope.close()
        return result
    }

    static let scopes = [
        Cost(name: "open and close an unused store") { count in
            var sum = 0
            for _ in 0..<count { sum &+= try await withRequestStore { _ in await one() } }
            return sum
        },
        Cost(name: "the same, with 1 resource") { count in
            var sum = 0
            for _ in 0..<count { sum &+= try await withRequestStore { _ in try await Resources.all[0].get().number } }
            return sum
        },
        Cost(name: "the same, with 4 resources") { count in
            var sum = 0
            for _ in 0..<count {
                sum &+= try await withRequestStore { _ in
                    var sum = 0
                    for resource in Resources.all { sum &+= try await resource.get().number }
                    return sum
                }
            }
            return sum
        },
    ]
}

enum Resources {
    static let all = (0..<4).map { number in
        RequestResource("resource \(number)") {
            try await acquire()
        } release: { thing, _ in
            await release(thing)
        }
    }

    static let first = RequestResource("first") {
        try await acquire()
    } release: { thing, _ in
        await release(thing)
    }

    static let memo = RequestMemo("memo") { (number: Int) in number }
}

extension Cost {
    static let resources = [
        Cost(name: "ready hit on a held resource") { count in
            try await withRequestStore { _ in
                var sum = 0
                for _ in 0..<count { sum &+= try await Resources.first.get().number }
                return sum
            }
        },
        Cost(name: "memo hit") { count in
            try await withRequestStore { _ in
                var sum = 0
                for _ in 0..<count { sum &+= try await Resources.memo(7) }
                return sum
            }
        },
    ]
}
