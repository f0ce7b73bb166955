import PerRequest
import PerRequestAdapters

/// Rules 15, 18 and 19: what becomes of a request.
extension ConformanceCheck {
    static let outcomes: [ConformanceCheck] = [
        outcome("a returned success commits", rule: 15) {
            ConformanceReply()
        } expecting: { answer, outcome in
            try expect(answer.isSuccess, "the client sees no success")
            try expect(outcome.verdict, is: .commit, "the verdict")
        },
        outcome("a returned failure rolls back", rule: 15) {
            ConformanceReply(.failed)
        } expecting: { answer, outcome in
            try expect(!answer.isSuccess, "the client sees a success")
            try expect(outcome.verdict, is: .rollback, "the verdict")
        },
        outcome("a returned refusal has the verdict of its status: HTTP's 404 commits", rule: 15) {
            ConformanceReply(.notFound)
        } expecting: { answer, outcome in
            let isFailure = answer.status?.isFailure ?? false
            try expect(outcome.verdict, is: isFailure ? .rollback : .commit, "the verdict")
        },
        outcome("a request that says itself that it failed is rolled back, and its response stays", rule: 15) {
            RequestStore.current?.fail(UnmappedError())
            return ConformanceReply(.ok, .buffered("a form with errors"))
        } expecting: { answer, outcome in
            try expect(answer.isSuccess, "the client does not see the response of the handler")
            try expect(answer.body, is: "a form with errors", "the body")
            try expect(outcome.verdict, is: .rollback, "the verdict")
        },
        outcome("a thrown error rolls back, whatever status is made of it", rule: 15, in: .errorMapping) {
            throw ConformanceError {}
        } expecting: { answer, outcome in
            try expect(!answer.isSuccess, "the client sees a success")
            try expect(outcome.verdict, is: .rollback, "the verdict")
        },
        outcome("the handler's error is in the outcome, unchanged", rule: 18, in: .errorMapping) {
            throw UnmappedError()
        } expecting: { _, outcome in
            guard case .failed(let error) = outcome.ending, error is UnmappedError else {
                throw ConformanceFailure("the ending: \(outcome.ending), expected the error of the handler")
            }
        },
        outcome("an error that is mapped is in the outcome, unchanged", rule: 18, in: .errorMapping) {
            throw ConformanceError {}
        } expecting: { _, outcome in
            guard case .failed(let error) = outcome.ending, error is ConformanceError else {
                throw ConformanceFailure("the ending: \(outcome.ending), expected the error of the handler")
            }
        },
        outcome("the outcome has the status that the client reads", rule: 19) {
            ConformanceReply(.notFound, .buffered("not found"))
        } expecting: { answer, outcome in
            try expect(outcome.status, is: answer.status, "the status")
        },
        outcome("the outcome has the status that an error was mapped to", rule: 19, in: .errorMapping) {
            throw ConformanceError {}
        } expecting: { answer, outcome in
            try expect(outcome.status, is: answer.status, "the status")
        },
        outcome("a request that was answered has completed", rule: 19, in: .streamedBody) {
            ConformanceReply(.ok, .streamed { $0 < 3 ? "part;" : nil })
        } expecting: { _, outcome in
            guard case .completed = outcome.ending else {
                throw ConformanceFailure("the ending: \(outcome.ending), expected completed")
            }
        },
        bodyThrows("a body that throws is the ending of its request", rule: 19) { outcome in
            guard case .failed(let error) = outcome.ending, error is UnmappedError else {
                throw ConformanceFailure("the ending: \(outcome.ending), expected the error of the body")
            }
        },
    ]

    private static func outcome(
        _ name: String,
        rule: Int,
        in codePath: RequestCodePath = .handler,
        _ handler: @escaping @Sendable () async throws -> ConformanceReply,
        expecting verify: @escaping @Sendable (ConformanceAnswer, RequestOutcome) throws -> Void
    ) -> ConformanceCheck {
        ConformanceCheck(name: name, rule: rule, codePath: codePath) { server in
            let (answer, outcome) = try await Bench(server).serveOne(handler)
            try verify(answer, outcome)
        }
    }
}
