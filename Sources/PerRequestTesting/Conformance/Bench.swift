import PerRequest
import PerRequestAdapters
import Synchronization

/// One server under a check: runs it, and knows what its requests did.
struct Bench: Sendable {
    let server: any ConformanceServer
    let recorder = Recorder()

    /// Three resources, to be acquired in this order; the second one is released before the response.
    let resources: [RequestResource<String>]

    /// A value that is nobody's until a request sets it.
    let owner: RequestLocal<String>

    private static let number = Atomic<UInt>(0)

    init(_ server: any ConformanceServer) {
        self.server = server
        // Each has keys of its own, as if they were declared in a line of its own: a suite may be run again and again.
        let line = Self.number.add(1, ordering: .relaxed).newValue
        owner = RequestLocal("owner", default: "nobody", line: line)
        let recorder = recorder
        resources = ["first", "second", "third"].map { name in
            RequestResource(name, released: name == "second" ? .beforeResponse : .afterResponse, line: line) {
                name
            } release: { name, outcome in
                // Where two releases ran at a time, the other one would come in between.
                recorder.note("releasing \(name)")
                await Task.yield()
                recorder.see(.releases, name)
                recorder.note("released \(name), \(outcome.verdict)")
            }
        }
    }

    /// Runs the server, and checks that nothing is left open when it has stopped.
    func serve(
        _ handler: @escaping @Sendable (_ request: String) async throws -> ConformanceReply,
        _ client: @escaping @Sendable (_ connect: @escaping ConformanceConnect) async throws -> Void
    ) async throws {
        let application = ConformanceApplication(
            observer: recorder,
            background: BackgroundWork(),
            handler: handler,
            note: recorder.see
        )
        try await server.run(application, client)
        try await recorder.waitUntilNothingIsOpen()
        try expectBalance()
    }

    /// Serves one request and closes the connection when the request has ended.
    ///
    /// - Returns: What the client read and what became of the request.
    @discardableResult
    func serveOne(
        _ handler: @escaping @Sendable () async throws -> ConformanceReply
    ) async throws -> (answer: ConformanceAnswer, outcome: RequestOutcome) {
        let recorder = recorder
        let answers = Answers()
        try await serve { _ in
            try await handler()
        } _: { connect in
            let connection = try await connect()
            let answer = try await connection.ask("request")
            answers.add(answer)
            _ = try await recorder.outcome()
            try await connection.close()
        }
        guard let answer = answers.all.first else { throw ConformanceFailure("the server did not run its body") }
        return (answer, try await recorder.outcome())
    }

    /// Acquires the three resources.
    func acquireAll() async throws {
        for resource in resources { _ = try await resource.get() }
    }

    /// A body that goes on until it cannot be written any more.
    static let endless = ConformanceReply.Body.streamed { _ in
        await Task.yield()
        try Task.checkCancellation()
        return String(repeating: "x", count: 1_000)
    }

    /// Checks that as much was closed and released as was opened and acquired.
    private func expectBalance() throws {
        let state = recorder.state
        try expect(state.closed.count, is: state.opened.count, "closed stores")
        try expect(Set(state.closed), is: Set(state.opened), "the stores that were closed")
        try expect(state.released, is: state.acquired, "released resources")
    }

    /// Checks that one request acquired the three resources, and released each once: the one of the earlier point first,
    /// then the last acquired first, one at a time, with one verdict.
    func expectReleases(_ verdict: RequestOutcome.Verdict) throws {
        let releases = recorder.state.notes.filter { $0.hasPrefix("releas") }
        let expected = ["second", "third", "first"].flatMap { ["releasing \($0)", "released \($0), \(verdict)"] }
        try expect(releases, is: expected, "the releases")
        try expect(recorder.state.opened.count, is: 1, "opened stores")
    }

    /// Checks that the code at the places saw the request's own store, and saw it open.
    func expectSeen(_ codePath: RequestCodePath, at places: [String]) throws {
        let state = recorder.state
        guard let store = state.opened.first, state.opened.count == 1 else {
            throw ConformanceFailure("one request opened \(state.opened.count) stores")
        }
        for place in places {
            let sightings = state.sightings.filter { $0.codePath == codePath && $0.place == place }
            try expect(!sightings.isEmpty, "\(codePath), \(place): it did not run, or did not tell the suite")
            for sighting in sightings {
                guard let seen = sighting.store else {
                    throw ConformanceFailure("\(codePath), \(place): no store is current")
                }
                try expect(seen == store, "\(codePath), \(place): another store is current")
                try expect(!sighting.isClosed, "\(codePath), \(place): the store is closed")
            }
        }
    }
}
