/// A guarantee of this package that an adapter cannot give, because its framework offers no place for it.
///
/// Every adapter lists its own in code, so that a test or a start-up check can read what an application must not rely on.
public struct UnmetGuarantee: Hashable, Sendable {
    /// The number of the rule, as the tests name it.
    public let rule: Int

    /// What does not hold, and when.
    public let explanation: String

    /// Makes an entry of an adapter's list.
    ///
    /// - Parameters:
    ///   - rule: The number of the rule.
    ///   - explanation: What does not hold, and when.
    public init(rule: Int, _ explanation: String) {
        self.rule = rule
        self.explanation = explanation
    }
}

extension UnmetGuarantee: CustomStringConvertible {
    /// The rule and what does not hold.
    public var description: String { "rule \(rule): \(explanation)" }
}
