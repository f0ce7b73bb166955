/// A guarantee of this package that an adapter cannot give, because its framework offers no place for it.
///
/// Every adapter lists its own in code, so that a test or a start-up check can read what an application must not rely on.
/// The conformance suite of `PerRequestTesting` checks everything else.
public struct UnmetGuarantee: Hashable, Sendable {
    /// How much of a guarantee is missing.
    public enum Extent: Hashable, Sendable {
        /// It holds, but for the case that the explanation names.
        case partly
        /// It does not hold.
        case wholly
    }

    /// The number of the rule, as the tests name it.
    public let rule: Int

    /// The place where it does not hold.
    public let codePath: RequestCodePath

    /// How much of it is missing.
    public let extent: Extent

    /// What does not hold, and when.
    public let explanation: String

    /// Makes an entry of an adapter's list.
    ///
    /// - Parameters:
    ///   - rule: The number of the rule.
    ///   - codePath: The place where it does not hold.
    ///   - extent: How much of it is missing.
    ///   - explanation: What does not hold, and when.
    public init(rule: Int, in codePath: RequestCodePath, _ extent: Extent, _ explanation: String) {
        self.rule = rule
        self.codePath = codePath
        self.extent = extent
        self.explanation = explanation
    }
}

extension UnmetGuarantee: CustomStringConvertible {
    /// The rule, the place, and what does not hold.
    public var description: String { "rule \(rule), \(codePath): \(explanation)" }
}
