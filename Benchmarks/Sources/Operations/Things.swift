/// A class, as a user or a client is.
final class Thing: Sendable {
    let number: Int

    init(_ number: Int) { self.number = number }

    static let shared = Thing(1)
}

extension Thing {
    /// What a client's with-function is: it does something before and after, and does not suspend.
    @inline(never)
    static func withTransaction<Result>(_ body: (Thing) async throws -> Result) async throws -> Result {
        _ = await one()
        let result = try await body(shared)
        _ = await one()
        return result
    }
}

@inline(never)
func one() async -> Int { 1 }
