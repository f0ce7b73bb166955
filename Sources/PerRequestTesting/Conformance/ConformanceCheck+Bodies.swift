import PerRequest
import PerRequestAdapters

/// Rules 1, 15 and 21: what a streamed body acquires for itself, and one that is never read.
extension ConformanceCheck {
    static let bodies: [ConformanceCheck] = [
        // An adapter that binds what holds the scope in a task-local makes the task of the resource hold it, too.
        bodyAcquires("a resource that a streamed body acquires first does not keep its request open", rule: 21, .commit)
        {
            number in
            number < 2 ? "part;" : nil
        },
        bodyAcquires("a transaction of a streamed body that throws is rolled back", rule: 15, .rollback) { number in
            if number > 1 { throw UnmappedError() }
            return "part;"
        },
        leavesBeforeStreamedHead,
    ]

    /// A body that runs in a resource of its own, which lives in a `with…` function.
    private static func bodyAcquires(
        _ name: String,
        rule: Int,
        _ verdict: RequestOutcome.Verdict,
        _ part: @escaping @Sendable (_ number: Int) throws -> String?
    ) -> ConformanceCheck {
        ConformanceCheck(name: name, rule: rule, codePath: .streamedBody) { server in
            let bench = Bench(server)
            let recorder = bench.recorder
            let transaction = RequestResource.around("transaction") { use in
                do {
                    let receipt = try await use("transaction")
                    recorder.note("the body's commit")
                    return receipt
                } catch {
                    recorder.note("the body's rollback")
                    throw error
                }
            }
            try await bench.serve { _ in
                try await bench.acquireAll()
                return ConformanceReply(
                    .ok,
                    .streamed { number in
                        _ = try await transaction.get()
                        return try part(number)
                    }
                )
            } _: { connect in
                let connection = try await connect()
                try await connection.open("request")
                try await connection.readSome()
                _ = try await recorder.outcome()
                try? await connection.leave()
            }
            let ends = recorder.state.notes.filter { $0.hasPrefix("the body's") }
            try expect(ends, is: ["the body's \(verdict)"], "the ends of the body's transaction")
            // What the handler held was promised before, where success is.
            try bench.expectReleases(server.promisesSuccessLast ? verdict : .commit)
        }
    }

    /// A client that has left when the response begins, whose body is never asked for, or cannot be written.
    private static let leavesBeforeStreamedHead = ConformanceCheck(
        name: "the client has left before the head of a streamed body: what it held is released",
        rule: 1,
        codePath: .clientLeaving
    ) { server in
        let bench = Bench(server)
        try await bench.serve { request in
            guard request == "leaving" else { return ConformanceReply() }
            try await bench.acquireAll()
            bench.recorder.note("handling")
            try await bench.recorder.wait(for: "the client has left")
            return ConformanceReply(.ok, .streamed { $0 < 2 ? "part;" : nil })
        } _: { connect in
            let connection = try await connect()
            try await connection.open("leaving")
            try await bench.recorder.wait(for: "handling")
            try await connection.leave()
            // By then the server has had the time to see that the first one is gone.
            let other = try await connect()
            for _ in 0..<3 { _ = try await other.ask("staying") }
            bench.recorder.note("the client has left")
            _ = try await bench.recorder.outcome(ofRequest: 4)
            try await other.close()
        }
        let releases = bench.recorder.state.notes.filter { $0.hasPrefix("released") }.map { $0.prefix { $0 != "," } }
        try expect(releases, is: ["released second", "released third", "released first"], "the releases")
    }
}
