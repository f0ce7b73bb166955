import PerRequest

enum Resources {
    /// Resources that do not suspend.
    static let all = (0..<64).map { number in
        RequestResource("resource \(number)") {
            Thing.shared
        } release: { _, _ in
        }
    }

    /// As an application declares one.
    static let one = RequestResource("one") {
        Thing.shared
    } release: { _, _ in
    }

    /// A transaction that does not suspend.
    static let transaction = RequestResource.around("transaction") { use in
        try await Thing.withTransaction { thing in try await use(thing) }
    }

    static let memo = RequestMemo("memo") { (number: Int) in number }
}

extension Cost {
    static let resources = [
        Cost(name: "ready hit on a held resource") { count in
            try await withRequestStore { _ in
                var sum = 0
                for _ in 0..<count { sum &+= try await Resources.one.get().number }
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
