import PerRequest

/// Runs `body` with something in the place of values, resources and memos, in every store that is opened in it.
///
/// For a test of routes: the server opens the store, and the test does not see it.
///
/// ```swift
/// try await withRequestOverrides([.value(of: Current.user, alice), .resource(Current.connection) { fake }]) {
///     try await app.test(.live) { client in … }
/// }
/// ```
///
/// **Lifetime.** A store has the overrides under which it is opened until it ends, and so have its children and its work
/// after the response. They are those of the task of `body` and of the tasks that it starts, but for detached ones:
/// tests that run at the same time do not see each other's. Inside of others, these are added, and win.
///
/// **Errors.** A server that runs already opens its stores elsewhere, such as that of `app.test(.live) { … }` inside of its
/// closure. Where `body` succeeded without a store being opened under the overrides, ``UnusedRequestOverrides`` is thrown.
///
/// - Parameters:
///   - overrides: What takes the place of what.
///   - outcome: What becomes of each request although its handler succeeds.
///   - fileID: The caller's file, for errors.
///   - line: The caller's line, for errors.
///   - body: The code to test, in the caller's task and isolation.
/// - Returns: What `body` returns.
/// - Throws: The error of `body`, unchanged; ``UnusedRequestOverrides``.
@discardableResult
public nonisolated(nonsending) func withRequestOverrides<Result>(
    _ overrides: [RequestOverride],
    forcing outcome: ForcedOutcome? = nil,
    fileID: String = #fileID,
    line: UInt = #line,
    _ body: nonisolated(nonsending) () async throws -> Result
) async throws -> Result {
    var replacements = StoreOverrides(addingTo: .present)
    for override in overrides { override.install(&replacements) }
    outcome?.install(in: &replacements)
    let scope = OverrideScope(replacements)
    let result = try await scope.run(body)
    guard scope.isUsed else { throw UnusedRequestOverrides(fileID: fileID, line: line) }
    return result
}
