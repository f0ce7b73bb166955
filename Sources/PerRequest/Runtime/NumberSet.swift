/// A set of numbers, in order: nearly always few, and nearly always added from small to large.
struct NumberSet: Hashable, Sendable {
    private(set) var all: [Int] = []

    var isEmpty: Bool { all.isEmpty }

    func contains(_ number: Int) -> Bool {
        let index = index(of: number)
        return index < all.count && all[index] == number
    }

    /// Adds a number.
    ///
    /// - Returns: Whether it was not there.
    mutating func insert(_ number: Int) -> Bool {
        guard let last = all.last, last >= number else {
            all.append(number)
            return true
        }
        let index = index(of: number)
        guard all[index] != number else { return false }
        all.insert(number, at: index)
        return true
    }

    mutating func remove(_ number: Int) {
        let index = index(of: number)
        if index < all.count, all[index] == number { all.remove(at: index) }
    }

    /// Where a number is, or would be.
    private func index(of number: Int) -> Int {
        var low = 0
        var high = all.count
        while low < high {
            let middle = (low + high) / 2
            if all[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
