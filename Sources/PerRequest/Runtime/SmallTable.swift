/// Values under numbers, of which there are few: looking through them costs less than hashing.
struct SmallTable<Value: Sendable>: Sendable {
    private var entries: [(number: Int, value: Value)] = []

    /// The numbers and the values, in the order in which they were added.
    var all: [(number: Int, value: Value)] { entries }

    subscript(number: Int) -> Value? {
        get { index(of: number).map { entries[$0].value } }
        set {
            guard let index = index(of: number) else {
                if let newValue { entries.append((number, newValue)) }
                return
            }
            if let newValue { entries[index].value = newValue } else { entries.remove(at: index) }
        }
    }

    /// Removes the value under a number, and returns it.
    mutating func remove(_ number: Int) -> Value? { index(of: number).map { entries.remove(at: $0).value } }

    /// The last added is asked for most.
    private func index(of number: Int) -> Int? { entries.lastIndex { $0.number == number } }
}
