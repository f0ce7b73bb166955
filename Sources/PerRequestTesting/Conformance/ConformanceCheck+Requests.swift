import PerRequest
import PerRequestAdapters

/// Rules 1, 6, 15, 19 and 20: requests beside and after each other, work after the response, clients that leave.
extension ConformanceCheck {
    static let requests: [ConformanceCheck] =
        [nextRequest(isPipelined: false), nextRequest(isPipelined: true), concurrent]
        + [workRuns, noWorkAfterRollback]
        + [true, false].flatMap { isBeforeHead in
            [
                leaving("what it held is released", rule: 1, isBeforeHead) { _ in },
                leaving("its request commits, since its handler returned", rule: 15, isBeforeHead) { outcome in
                    try expect(outcome.verdict, is: .commit, "the verdict")
                },
                leaving("the outcome says so", rule: 19, isBeforeHead) { outcome in
                    guard case .clientDisconnected = outcome.ending else {
                        throw ConformanceFailure("the ending: \(outcome.ending), expected clientDisconnected")
                    }
                },
            ]
        }

    // MARK: - Several requests

    /// Two requests of one connection.
    private static func nextRequest(isPipelined: Bool) -> ConformanceCheck {
        let name = isPipelined ? "requests that were sent at once" : "a request on a used connection"
        return ConformanceCheck(
            name: "\(name): nothing is seen of the one before",
            rule: 6,
            codePath: .nextRequest
        ) { server in
            let bench = Bench(server)
            try await bench.serve { request in
                let owner = bench.owner.value
                try bench.owner.set(request)
                try await bench.acquireAll()
                return ConformanceReply(.ok, .buffered("\(request) after \(owner)"))
            } _: { connect in
                let connection = try await connect()
                let names = ["a", "b", "c"]
                var answers: [ConformanceAnswer] = []
                if isPipelined {
                    answers = try await connection.ask(names)
                } else {
                    for name in names { answers.append(try await connection.ask(name)) }
                }
                try expect(answers.map(\.body), is: names.map { "\($0) after nobody" }, "the answers")
                _ = try await bench.recorder.outcome(ofRequest: 3)
                try await connection.close()
            }
            try expect(bench.recorder.state.opened.count, is: 3, "opened stores")
            try expect(bench.recorder.state.acquired, is: 9, "acquired resources")
        }
    }

    /// Requests that are all in their handlers before one goes on.
    private static let concurrent = ConformanceCheck(
        name: "50 requests at a time: each has its own values and its own resource",
        rule: 6,
        codePath: .concurrentRequests
    ) { server in
        let count = 50
        let bench = Bench(server)
        let numbered = RequestResource("numbered") {
            bench.owner.value
        } release: { _, _ in
        }
        try await bench.serve { request in
            try bench.owner.set(request)
            bench.recorder.note("handling")
            _ = try await bench.recorder.wait(for: "\(count) requests at a time") { state in
                state.notes.count >= count ? true : nil
            }
            let resource = try await numbered.get()
            return ConformanceReply(.ok, .streamed { $0 == 0 ? "\(bench.owner.value) \(resource)" : nil })
        } _: { connect in
            try await withThrowingDiscardingTaskGroup { group in
                for number in 0..<count {
                    group.addTask {
                        let connection = try await connect()
                        let answer = try await connection.ask("r\(number)")
                        try expect(answer.body, is: "r\(number) r\(number)", "what request r\(number) saw")
                        try await connection.close()
                    }
                }
            }
            _ = try await bench.recorder.outcome(ofRequest: count)
        }
        try expect(bench.recorder.state.acquired, is: count, "acquired resources")
    }

    // MARK: - Work after the response

    private static let workRuns = ConformanceCheck(
        name: "work runs when the store has closed, in a store of its own, with the request's values",
        rule: 20,
        codePath: .afterResponse
    ) { server in
        let bench = Bench(server)
        try await bench.serve { _ in
            try bench.owner.set("the request")
            try RequestStore.afterResponse("work") {
                bench.recorder.see(.afterResponse, bench.owner.value)
                bench.recorder.note("worked")
            }
            return ConformanceReply()
        } _: { connect in
            let connection = try await connect()
            let answer = try await connection.ask("request")
            try expect(answer.isSuccess, "the adapter does not let a request leave work")
            try await bench.recorder.wait(for: "worked")
            try await connection.close()
        }
        let state = bench.recorder.state
        let sighting = state.sightings.first { $0.codePath == .afterResponse }
        try expect(sighting?.place ?? "", is: "the request", "the value that the work saw")
        try expect(sighting?.store != nil && sighting?.isClosed == false, "the work sees no open store")
        try expect(sighting?.store != state.opened.first, "the work sees the store of its request")
    }

    private static let noWorkAfterRollback = ConformanceCheck(
        name: "after a rollback only the work runs that always does",
        rule: 20,
        codePath: .afterResponse
    ) { server in
        let bench = Bench(server)
        try await bench.serve { _ in
            try RequestStore.afterResponse("mail") { bench.recorder.note("mailed") }
            try RequestStore.afterResponse("audit", .always) { bench.recorder.note("audited") }
            bench.recorder.note("registered")
            throw UnmappedError()
        } _: { connect in
            let connection = try await connect()
            _ = try await connection.ask("request")
            let isRegistered = bench.recorder.state.notes.contains("registered")
            try expect(isRegistered, "the adapter does not let a request leave work")
            try await bench.recorder.wait(for: "audited")
            try await connection.close()
        }
        try expect(bench.recorder.state.notes, is: ["registered", "audited"], "the work that ran")
    }

    // MARK: - Clients that leave

    private static func leaving(
        _ name: String,
        rule: Int,
        _ isBeforeHead: Bool,
        expecting verify: @escaping @Sendable (RequestOutcome) throws -> Void
    ) -> ConformanceCheck {
        ConformanceCheck(
            name: "the client leaves \(isBeforeHead ? "before the head" : "within the body"): \(name)",
            rule: rule,
            codePath: .clientLeaving
        ) { server in
            let bench = Bench(server)
            try await bench.serve { _ in
                try await bench.acquireAll()
                bench.recorder.note("handling")
                if isBeforeHead { try await bench.recorder.wait(for: "the client has left") }
                return ConformanceReply(.ok, Bench.endless)
            } _: { connect in
                let connection = try await connect()
                try await connection.open("request")
                try await isBeforeHead ? bench.recorder.wait(for: "handling") : connection.readSome()
                try await connection.leave()
                bench.recorder.note("the client has left")
                try verify(try await bench.recorder.outcome())
            }
            try bench.expectReleases(try await bench.recorder.outcome().verdict)
        }
    }
}
