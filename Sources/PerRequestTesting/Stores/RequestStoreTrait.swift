#if canImport(Testing)
public import Testing

/// Gives every test a store of its own, which is current in it: ``Testing/Trait/requestStore(overriding:forcing:)``.
public struct RequestStoreTrait: TestTrait, SuiteTrait, TestScoping {
    let overrides: [RequestOverride]
    let outcome: ForcedOutcome?

    /// `true`: a suite's trait is that of each of its tests.
    public var isRecursive: Bool { true }

    /// Opens a store around one test case, and closes it after.
    ///
    /// - Throws: What the test throws; where that succeeds, what releasing throws.
    public func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        try await withTestRequestStore(overriding: overrides, forcing: outcome, id: test.name) { _ in
            try await function()
        }
    }
}

extension Trait where Self == RequestStoreTrait {
    /// Gives every test a store of its own, which is current in it.
    ///
    /// ```swift
    /// @Test("greets the user", .requestStore(overriding: [.value(of: Current.user, alice)]))
    /// func greets() async throws { #expect(try await greeting() == "Hello, Alice") }
    /// ```
    ///
    /// It is closed when the test has ended; a release that fails then fails the test. Each case of a parameterized test
    /// has its own, and so has each test of a suite.
    ///
    /// - Parameters:
    ///   - overrides: What takes the place of values and resources.
    ///   - outcome: What becomes of the store although the test succeeds.
    public static func requestStore(
        overriding overrides: [RequestOverride] = [],
        forcing outcome: ForcedOutcome? = nil
    ) -> RequestStoreTrait {
        RequestStoreTrait(overrides: overrides, outcome: outcome)
    }
}
#endif
