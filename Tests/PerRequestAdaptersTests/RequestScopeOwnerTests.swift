// As the author of an adapter has it, in a package of its own: nothing that is internal or `package`.
import PerRequest
import PerRequestAdapters
import Testing

@Suite("RequestScopeOwner (rules 1, 19 and 21)", .timeLimit(.minutes(1)))
struct RequestScopeOwnerTests {
    private struct Refused: Error {}

    /// Tells the outcomes of requests.
    private final class Observer: RequestObserver {
        private let stream = AsyncStream<(RequestStore, RequestOutcome)>.makeStream()

        func observe(_ event: RequestEvent) {
            if case .closed(let outcome) = event.kind { stream.continuation.yield((event.store, outcome)) }
        }

        func outcome(of store: RequestStore) async -> RequestOutcome? { await stream.stream.first { $0.0 == store }?.1 }
    }

    /// How a request ends whose owner goes when `body` has returned.
    private func outcome(
        endingIfDropped: RequestOutcome.Ending = .completed,
        _ body: (RequestScopeOwner) async throws -> Void
    ) async rethrows -> RequestOutcome? {
        let observer = Observer()
        let store: RequestStore
        do {
            let owner = RequestScopeOwner(
                RequestScope(observers: [observer], report: { Issue.record("\($0)") }),
                endingIfDropped: endingIfDropped
            )
            store = owner.scope.store
            try await body(owner)
        }
        return await observer.outcome(of: store)
    }

    @Test("the scope closes when the last reference goes, with what was noted first, or what it was made with")
    func endings() async {
        var outcome = await outcome { _ in }
        #expect(outcome?.ending.name == "completed")
        outcome = await self.outcome(endingIfDropped: .abandoned) { _ in }
        #expect(outcome?.ending.name == "abandoned")
        outcome = await self.outcome { owner in
            await owner.scope.settle(status: .http(200))
            owner.note(.clientDisconnected)
            owner.note(.failed(Refused()))
        }
        #expect(outcome?.ending.name == "clientDisconnected")
        #expect(outcome?.verdict == .commit && outcome?.status == .http(200))
    }

    @Test("what is closed is not closed again")
    func closed() async {
        let outcome = await outcome { owner in
            owner.note(.clientDisconnected)
            let outcome = await owner.close(.failed(Refused()))
            #expect(outcome.ending.name == "clientDisconnected")
            #expect(owner.scope.store.isClosed)
        }
        #expect(outcome?.ending.name == "clientDisconnected")
    }

    @Test("a request that uses nothing closes where its owner goes, without a task")
    func unused() async {
        var owner = Optional(RequestScopeOwner(RequestScope()))
        let store = owner?.scope.store
        await owner?.scope.settle(status: .http(200))
        #expect(store?.isClosed == false)
        owner = nil
        #expect(store?.isClosed == true)
    }

    @Test("the tasks that start where it is current hold it, and see the store")
    func tasks() async {
        let (gate, opener) = AsyncStream<Void>.makeStream()
        let seen = Notes()
        let outcome = await outcome { owner in
            #expect(RequestScopeOwner.current == nil)
            owner.run {
                #expect(RequestScopeOwner.current === owner && RequestStore.current == owner.scope.store)
                RequestScopeOwner.withoutCurrent { #expect(RequestScopeOwner.current == nil) }
                Task {
                    for await _ in gate {}
                    seen.add(RequestStore.current?.isClosed == false ? "open" : "closed")
                    RequestScopeOwner.current?.note(.failed(Refused()))
                }
            }
            await owner.run {
                await Task.yield()
                #expect(RequestScopeOwner.current === owner)
            }
            opener.finish()
        }
        #expect(seen.all == ["open"])
        #expect(outcome?.ending.name == "failed")
    }

    /// What the store runs, and whether it sees the owner of its scope: that would never end then.
    @Test("no task of a store holds it: factories, around functions, memos, releases, children, jobs")
    func tasksOfTheStore() async throws {
        let seen = Notes()
        let note: @Sendable (String) -> Void = { seen.add(RequestScopeOwner.current == nil ? $0 : "\($0) holds it") }
        let plain = RequestResource("plain") {
            await Task.yield()
            note("factory")
        } release: { _, _ in
            note("release")
        }
        let around = RequestResource.around("around") { use in
            note("function")
            return try await use("around")
        }
        let memo = RequestMemo("memo") { (number: Int) in
            note("memo")
            return number
        }
        let nested = RequestResource.around("nested") { use in
            _ = try await around.get()
            return try await use("nested")
        }
        let outcome = try await outcome { owner in
            try await owner.run {
                _ = await owner.scope.settle()
                try await plain.get()
                _ = try await nested.get()
                #expect(try await memo(1) == 1)
                try await withRequestStore(.child(owning: plain)) { _ in try await plain.get() }
                try await withRequestStore { _ in try RequestStore.afterResponse("job") { note("job") } }
            }
        }
        #expect(outcome?.ending.name == "completed")
        #expect(seen.all == ["factory", "function", "memo", "factory", "release", "job", "release"])
    }
}

extension RequestOutcome.Ending {
    fileprivate var name: String { String("\(self)".prefix { $0 != "(" }) }
}
