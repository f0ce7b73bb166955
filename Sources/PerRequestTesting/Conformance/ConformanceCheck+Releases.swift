import PerRequest
import PerRequestAdapters

/// Rules 12, 16, 18 and 19: in which order a request releases, and what a release that fails does to the response.
extension ConformanceCheck {
    static let releases: [ConformanceCheck] = [
        allRun, failsAfterResponse, commitsFirst, failingCommit("of a buffered response", .buffered("promised")),
        failingCommit("of a streamed response", .streamed { $0 < 2 ? "promised" : nil }), statusOfFailedCommit,
    ]

    /// A resource whose release throws.
    private static func failing(_ name: String, _ point: ReleasePoint, _ recorder: Recorder) -> RequestResource<String>
    {
        RequestResource(name, released: point) {
            name
        } release: { name, outcome in
            recorder.note("failing \(name), \(outcome.verdict)")
            throw UnmappedError()
        }
    }

    private static let allRun = ConformanceCheck(
        name: "releases run last acquired first, each once, although one throws",
        rule: 12,
        codePath: .releases
    ) { server in
        let bench = Bench(server)
        let failing = failing("last", .afterResponse, bench.recorder)
        let (_, outcome) = try await bench.serveOne {
            try await bench.acquireAll()
            _ = try await failing.get()
            return ConformanceReply()
        }
        let notes = bench.recorder.state.notes
        let place = notes.firstIndex(of: "failing last, commit")
        try expect(place, is: 2, "the place of the release that throws, in \(notes)")
        try bench.expectReleases(.commit)
        try expect(outcome.releaseFailures.map(\.resource), is: ["last"], "the releases that failed")
    }

    private static let failsAfterResponse = ConformanceCheck(
        name: "a release that fails after the response does not change it",
        rule: 18,
        codePath: .releases
    ) { server in
        let bench = Bench(server)
        let failing = failing("failing", .afterResponse, bench.recorder)
        let (answer, outcome) = try await bench.serveOne {
            _ = try await failing.get()
            return ConformanceReply(.ok, .buffered("done"))
        }
        try expect(answer.isSuccess, "the client sees no success")
        try expect(answer.body, is: "done", "the body")
        try expect(outcome.verdict, is: .commit, "the verdict")
        try expect(outcome.releaseFailures.count, is: 1, "the releases that failed")
    }

    private static let commitsFirst = ConformanceCheck(
        name: "what is released before the response is released before success is promised",
        rule: 16,
        codePath: .commit
    ) { server in
        let bench = Bench(server)
        let (answer, _) = try await bench.serveOne {
            _ = try await bench.resources[1].get()
            return ConformanceReply(
                .ok,
                .streamed { number in
                    bench.recorder.note("part \(number)")
                    return number < 1 ? "part;" : nil
                }
            )
        }
        try expect(answer.isSuccess, "the client sees no success")
        let parts = ["part 0", "part 1"]
        let commit = ["releasing second", "released second, commit"]
        let expected = server.promisesSuccessLast ? parts + commit : commit + parts
        try expect(bench.recorder.state.notes, is: expected, "the order")
    }

    private static func failingCommit(_ name: String, _ body: ConformanceReply.Body) -> ConformanceCheck {
        ConformanceCheck(
            name: "a commit that fails turns the success \(name) into an error and the rest back",
            rule: 16,
            codePath: .commit
        ) { server in
            let bench = Bench(server)
            let failing = failing("commit", .beforeResponse, bench.recorder)
            let (answer, outcome) = try await bench.serveOne {
                try await bench.acquireAll()
                _ = try await failing.get()
                return ConformanceReply(.ok, body)
            }
            try expect(!answer.isSuccess, "the client sees a success that did not happen")
            try expect(answer.status.map(\.isFailure) ?? true, "the client sees \(answer.status?.description ?? "")")
            if !server.promisesSuccessLast {
                try expect(!answer.body.contains("promised"), "the client sees the body of the success: \(answer.body)")
            }
            try expect(outcome.verdict, is: .rollback, "the verdict")
            try expect(bench.recorder.state.notes.first ?? "", is: "failing commit, commit", "what happened first")
            try bench.expectReleases(.rollback)
        }
    }

    private static let statusOfFailedCommit = ConformanceCheck(
        name: "the outcome of a commit that fails has the status that the client reads",
        rule: 19,
        codePath: .commit
    ) { server in
        let bench = Bench(server)
        let failing = failing("commit", .beforeResponse, bench.recorder)
        let (answer, outcome) = try await bench.serveOne {
            _ = try await failing.get()
            return ConformanceReply()
        }
        try expect(outcome.status, is: answer.status, "the status")
    }
}
