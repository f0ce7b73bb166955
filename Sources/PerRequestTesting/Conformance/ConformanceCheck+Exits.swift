import PerRequest
import PerRequestAdapters

/// Rule 1: every way out of a request closes its store once, after releasing what it holds.
extension ConformanceCheck {
    static let exits: [ConformanceCheck] = [
        answered("the handler returns an empty response", in: .handler, .commit) { ConformanceReply() },
        answered("the handler returns a buffered body", in: .handler, .commit) {
            ConformanceReply(.ok, .buffered("buffered"))
        } expecting: { answer in
            try expect(answer.body, is: "buffered", "the body")
        },
        answered("the handler returns a failure", in: .handler, .rollback) { ConformanceReply(.failed) },
        answered("the handler throws", in: .handler, .rollback) { throw UnmappedError() },
        answered("the handler throws an error that is mapped", in: .errorMapping, .rollback) {
            throw ConformanceError {}
        },
        answered("the body is streamed", in: .streamedBody, .commit) {
            ConformanceReply(
                .ok,
                .streamed { number in
                    await Task.yield()
                    return number < 3 ? "part;" : nil
                }
            )
        } expecting: { answer in
            try expect(answer.body, is: "part;part;part;", "the body")
        },
        bodyThrows("the streamed body throws", rule: 1) { _ in },
        serverIsCancelled,
    ]

    /// A request that uses three resources and is answered.
    private static func answered(
        _ name: String,
        in codePath: RequestCodePath,
        _ verdict: RequestOutcome.Verdict,
        _ handler: @escaping @Sendable () async throws -> ConformanceReply,
        expecting verify: @escaping @Sendable (ConformanceAnswer) throws -> Void = { _ in }
    ) -> ConformanceCheck {
        ConformanceCheck(name: name, rule: 1, codePath: codePath) { server in
            let bench = Bench(server)
            let (answer, _) = try await bench.serveOne {
                try await bench.acquireAll()
                return try await handler()
            }
            try expect(answer.isSuccess, is: verdict == .commit, "whether the client sees a success")
            try verify(answer)
            try bench.expectReleases(verdict)
        }
    }

    /// A request whose body throws when some of it was sent.
    static func bodyThrows(
        _ name: String,
        rule: Int,
        expecting verify: @escaping @Sendable (RequestOutcome) throws -> Void
    ) -> ConformanceCheck {
        ConformanceCheck(name: name, rule: rule, codePath: .streamedBody) { server in
            let bench = Bench(server)
            try await bench.serve { _ in
                try await bench.acquireAll()
                return ConformanceReply(
                    .ok,
                    .streamed { number in
                        if number > 0 { throw UnmappedError() }
                        return "part;"
                    }
                )
            } _: { connect in
                let connection = try await connect()
                try await connection.open("request")
                try await connection.readSome()
                try verify(try await bench.recorder.outcome())
                try? await connection.leave()
            }
            // Where success is promised last, it was not yet when the body threw.
            try bench.expectReleases(server.promisesSuccessLast ? .rollback : .commit)
        }
    }

    /// A server that is cancelled while it writes a body.
    private static let serverIsCancelled = ConformanceCheck(
        name: "the server is cancelled while it writes a body",
        rule: 1,
        codePath: .streamedBody
    ) { server in
        let bench = Bench(server)
        let running = Task {
            try await bench.serve { _ in
                try await bench.acquireAll()
                return ConformanceReply(.ok, Bench.endless)
            } _: { connect in
                let connection = try await connect()
                try await connection.open("request")
                try await connection.readSome()
                bench.recorder.note("reading")
                try await Task.sleep(for: ConformanceCheck.patience)
                throw ConformanceFailure("the server's task was cancelled, and its body was not")
            }
        }
        try await bench.recorder.wait(for: "reading")
        running.cancel()
        let outcome = try await bench.recorder.outcome()
        _ = try? await running.value
        try await bench.recorder.waitUntilNothingIsOpen()
        try bench.expectReleases(outcome.verdict)
    }
}

/// An error that no framework knows.
struct UnmappedError: Error {}
