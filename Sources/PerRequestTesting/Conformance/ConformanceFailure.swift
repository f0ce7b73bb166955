/// What a ``ConformanceCheck`` found to be wrong.
public struct ConformanceFailure: Error {
    /// What is wrong.
    public let explanation: String

    init(_ explanation: String) { self.explanation = explanation }
}

extension ConformanceFailure: CustomStringConvertible {
    /// What is wrong.
    public var description: String { explanation }
}

/// Throws unless the condition holds.
func expect(_ condition: Bool, _ explanation: @autoclosure () -> String) throws {
    guard condition else { throw ConformanceFailure(explanation()) }
}

/// Throws unless both are equal.
func expect<Value: Equatable>(_ value: Value, is expected: Value, _ what: @autoclosure () -> String) throws {
    try expect(value == expected, "\(what()): \(value), expected \(expected)")
}
