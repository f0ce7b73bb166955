/// A set of numbers: a short array, or, beyond sixteen of them, a hashed set.
enum NumberSet: Hashable, Sendable {
    case few([Int])
    case many(Set<Int>)

    init() { self = .few([]) }

    var isEmpty: Bool {
        switch self {
        case .few(let numbers): numbers.isEmpty
        case .many(let numbers): numbers.isEmpty
        }
    }

    func contains(_ number: Int) -> Bool {
        switch self {
        case .few(let numbers): numbers.contains(number)
        case .many(let numbers): numbers.contains(number)
        }
    }

    /// Adds a number.
    ///
    /// - Returns: Whether it was not there.
    mutating func insert(_ number: Int) -> Bool {
        switch self {
        case .few(var numbers):
            guard !numbers.contains(number) else { return false }
            self = .few([])
            numbers.append(number)
            self = numbers.count > 16 ? .many(Set(numbers)) : .few(numbers)
            return true
        case .many(var numbers):
            self = .few([])
            defer { self = .many(numbers) }
            return numbers.insert(number).inserted
        }
    }

    mutating func remove(_ number: Int) {
        switch self {
        case .few(var numbers):
            guard let index = numbers.firstIndex(of: number) else { return }
            self = .few([])
            numbers.remove(at: index)
            self = .few(numbers)
        case .many(var numbers):
            self = .few([])
            numbers.remove(number)
            self = .many(numbers)
        }
    }

    func forEach(_ body: (Int) -> Void) {
        switch self {
        case .few(let numbers): numbers.forEach(body)
        case .many(let numbers): numbers.forEach(body)
        }
    }

    /// The numbers, in no order.
    var all: [Int] {
        switch self {
        case .few(let numbers): numbers
        case .many(let numbers): Array(numbers)
        }
    }
}
