/// Something whose cost is measured: done `count` times in a row.
///
/// It returns a number that depends on all of it, so that nothing is optimized away.
public struct Cost: Sendable {
    /// What `Scripts/bench` calls it.
    public let name: String

    /// Does it.
    public let run: @Sendable (_ count: Int) async throws -> Int

    /// What is compared, and what it is compared with.
    public static let operations = baselines + resourcesByHand + values + scopes + resources

    /// All of them: those, and what may grow.
    public static let all = operations + Growth.all.flatMap(\.costs)
}
