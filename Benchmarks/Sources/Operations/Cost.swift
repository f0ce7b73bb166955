/// Something whose cost is measured: done `count` times in a row.
///
/// It returns a number that depends on all of it, so that nothing is optimized away.
public struct Cost: Sendable {
    public let name: String
    public let run: @Sendable (_ count: Int) async throws -> Int

    public static let all = baselines + values + scopes + resources
}
