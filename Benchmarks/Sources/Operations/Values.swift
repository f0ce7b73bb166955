import PerRequest

enum Current {
    static let numbers = (0..<6).map { RequestLocal("number \($0)", default: 0) }
    static let many = (0..<64).map { RequestLocal("number \($0) of many", default: 0) }
    static let thing = RequestLocal<Thing?>("thing")
    static let number = RequestLocal("number", default: 0)

    /// Sets 8 values in the current store.
    static func setAll() throws {
        for number in numbers { try number.set(1) }
        try thing.set(Thing(1))
        try number.set(1)
    }
}

extension Cost {
    static let values = [
        Cost(name: "ambient read of a class, 8 values in use") { count in
            try await withRequestStore { _ in
                try Current.setAll()
                var sum = 0
                for _ in 0..<count { sum &+= Current.thing.value?.number ?? 0 }
                return sum
            }
        },
        Cost(name: "ambient read of a number, 8 values in use") { count in
            try await withRequestStore { _ in
                try Current.setAll()
                var sum = 0
                for _ in 0..<count { sum &+= Current.number.value }
                return sum
            }
        },
        Cost(name: "store-passed read of a number, 8 values in use") { count in
            try await withRequestStore { store in
                try Current.setAll()
                var sum = 0
                for _ in 0..<count { sum &+= Current.number.value(in: store) }
                return sum
            }
        },
        Cost(name: "ambient set of a number, 8 values in use") { count in
            try await withRequestStore { _ in
                try Current.setAll()
                for number in 0..<count { try Current.number.set(number) }
                return Current.number.value
            }
        },
        Cost(name: "ambient read of a class in a child task") { count in
            try await withRequestStore { _ in
                try Current.setAll()
                async let sum = {
                    var sum = 0
                    for _ in 0..<count { sum &+= Current.thing.value?.number ?? 0 }
                    return sum
                }()
                return await sum
            }
        },
        Cost(name: "snapshot run") { count in
            try await withRequestStore { _ in
                try Current.setAll()
                let snapshot = RequestSnapshot()
                var sum = 0
                for _ in 0..<count { sum &+= snapshot.run { 1 } }
                return sum
            }
        },
    ]
}
