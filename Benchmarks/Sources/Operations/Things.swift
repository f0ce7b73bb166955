/// A class, as a user or a client is.
final class Thing: Sendable {
    let number: Int

    init(_ number: Int) { self.number = number }

    static let shared = Thing(1)
}

@inline(never)
func one() async -> Int { 1 }
