#if canImport(Testing)
public import Testing

/// Runs every test under overrides: ``Testing/Trait/requestOverrides(_:forcing:fileID:line:)``.
public struct RequestOverridesTrait: TestTrait, SuiteTrait, TestScoping {
    let overrides: [RequestOverride]
    let outcome: ForcedOutcome?
    let fileID: String
    let line: UInt

    /// `true`: a suite's trait is that of each of its tests.
    public var isRecursive: Bool { true }

    /// Runs one test case under the overrides.
    ///
    /// - Throws: What the test throws; ``UnusedRequestOverrides``.
    public func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        try await withRequestOverrides(overrides, forcing: outcome, fileID: fileID, line: line) {
            try await function()
        }
    }
}

extension Trait where Self == RequestOverridesTrait {
    /// Runs every test with something in the place of values, resources and memos, in every store that it opens.
    ///
    /// ```swift
    /// @Test("greets the user", .requestOverrides([.value(of: Current.user, alice)]))
    /// func greets() async throws {
    ///     try await app.test(.live) { client in … }
    /// }
    /// ```
    ///
    /// A test under which no store is opened fails. See ``withRequestOverrides(_:forcing:fileID:line:_:)``.
    ///
    /// - Parameters:
    ///   - overrides: What takes the place of what.
    ///   - outcome: What becomes of each request although its handler succeeds.
    ///   - fileID: The file, for errors.
    ///   - line: The line, for errors.
    public static func requestOverrides(
        _ overrides: [RequestOverride],
        forcing outcome: ForcedOutcome? = nil,
        fileID: String = #fileID,
        line: UInt = #line
    ) -> RequestOverridesTrait {
        RequestOverridesTrait(overrides: overrides, outcome: outcome, fileID: fileID, line: line)
    }
}
#endif
