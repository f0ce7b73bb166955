import Synchronization
import Testing

@testable import PerRequest

@Suite("A memo lives no longer than what it was built on (rule 11)", .timeLimit(.minutes(10)))
struct MemoLifetimeTests {
    /// How a memo comes to use a connection.
    enum Path: CaseIterable, Sendable {
        case itself, use, useExclusively, throughResource, throughMemo, throughTwoMemos, throughChild, throughChildsMemo
    }

    private static func memo(
        _ path: Path,
        of connection: RequestResource<Int>,
        _ calls: Counter
    ) -> RequestMemo<Int> {
        let inner = RequestMemo("inner") { () in try await connection.get() }
        let middle = RequestMemo("middle") { () in try await inner() }
        let resource = RequestResource("resource") {
            try await connection.get()
        } release: { _, _ in
        }
        return RequestMemo("memo") { () -> Int in
            calls.next()
            switch path {
            case .itself: return try await connection.get()
            case .use: return try await connection.use { $0 }
            case .useExclusively: return try await turn(connection)
            case .throughResource: return try await resource.get()
            case .throughMemo: return try await inner()
            case .throughTwoMemos: return try await middle()
            case .throughChild: return try await withRequestStore(.child) { _ in try await connection.get() }
            case .throughChildsMemo: return try await withRequestStore(.child) { _ in try await middle() }
            }
        }
    }

    /// A connection whose value says which one it is.
    private static func numbered(released: ReleasePoint = .afterResponse) -> RequestResource<Int> {
        let number = Counter()
        return RequestResource("connection", released: released) {
            number.next()
        } release: { _, _ in
        }
    }

    @Test("Rule 11: early release of what a memo has used forgets its value", arguments: Path.allCases, [false, true])
    func earlyRelease(_ path: Path, isHeldBefore: Bool) async throws {
        let connection = Self.numbered()
        let calls = Counter()
        let memo = Self.memo(path, of: connection, calls)
        try await withRequestStore { store in
            if isHeldBefore { _ = try await connection.get() }
            for number in 1...3 {
                for _ in 0..<2 {
                    let value = try await memo()
                    #expect(value == number)
                }
                #expect(calls.count == number)
                try await connection.release(number == 2 ? .rollback : .commit)
                #expect(store.memos == 0)
            }
        }
    }

    @Test("Rule 11: loss of what a memo has used forgets its value, also in a child", arguments: [false, true])
    func loss(inChild: Bool) async throws {
        let lose = Signal()
        let transaction = losable(lose: lose)
        let calls = Counter()
        let inner = RequestMemo("inner") { () in try await transaction.get() }
        let memo = RequestMemo("memo") { () in
            calls.next()
            return try await inner()
        }
        let scope = StoreScope(report: { _ in })
        try await scope.run {
            try await withRequestStore(inChild ? .child : .join) { _ in
                let value = try await memo()
                #expect(value == 1)
                lose.fire()
                await until { transaction.valueIfHeld == nil && scope.store.memos == 0 }
                #expect(await reason { try await memo() }?.name == "resourceLost")
                #expect(calls.count == 2)
            }
        }
        await scope.close()
    }

    @Test(
        "Rule 11: forgetting a memo forgets those that are built on it, by `forget` and by `forgetAll`",
        arguments: [false, true]
    )
    func forget(all: Bool) async throws {
        let connection = Self.numbered()
        for isBuilt in [false, true] {
            for isFirst in [false, true] {
                let calls = Counter()
                let inner = RequestMemo("inner") { (number: Int) -> Int in
                    if isBuilt { _ = try await connection.get() }
                    return number + calls.next()
                }
                let middle = RequestMemo("middle") { (number: Int) in try await inner(number) }
                let outer = RequestMemo("outer") { (number: Int) in
                    await pause()
                    return try await middle(number)
                }
                try await withRequestStore { store in
                    // The inner one's value is there already, or is made by the outer one's call.
                    if isFirst { _ = try await inner(0) }
                    let first = try await outer(0)
                    #expect(first == 1)
                    if all { try inner.forgetAll() } else { try inner.forget(0) }
                    let second = try await outer(0)
                    #expect(second == 2, "built: \(isBuilt), first: \(isFirst)")
                    let present = try await [inner(0), middle(0), outer(0)]
                    #expect(present == [2, 2, 2])
                    // What is built on it goes; what it is built on stays.
                    if all { try outer.forgetAll() } else { try outer.forget(0) }
                    let third = try await outer(0)
                    #expect(third == 2)
                    if all { try inner.forgetAll() } else { try inner.forget(0) }
                    #expect(store.memos == 0)
                }
            }
        }
    }

    @Test("Rule 11: a release that calls a memo does not get what a dead connection gave")
    func laterRelease() async throws {
        let journal = Journal()
        let connection = Self.numbered(released: .beforeResponse)
        let memo = RequestMemo("memo", until: .beforeResponse) { () in try await connection.get() }
        let other = RequestResource("other") {
            1
        } release: { _, _ in
            journal.note(await reason { try await memo() }?.name ?? "-")
        }
        let first = RequestResource("first", released: .beforeResponse) {
            1
        } release: { _, _ in
            journal.note(await reason { try await memo() }?.name ?? "-")
        }
        let scope = StoreScope(report: { Issue.record("\($0)") })
        try await scope.run {
            _ = try await other.get()
            _ = try await first.get()
            _ = try await memo()
            let last = RequestResource("last", released: .beforeResponse) {
                1
            } release: { _, _ in
                // The connection is held still.
                let value = try await memo()
                journal.note("\(value)")
            }
            _ = try await last.get()
        }
        await scope.settle(status: .http(200))
        await scope.close()
        #expect(journal.entries.first == "1")
        #expect(journal.entries.dropFirst().allSatisfy { $0 == "releasePointBegan" }, "\(journal.entries)")
        #expect(journal.entries.count == 3)
    }

    @Test("Rule 11: failed, cancelled and overdue calls leave nothing behind")
    func failures() async throws {
        let connection = Self.numbered()
        let memo = RequestMemo("memo", timeout: .milliseconds(20)) { (number: Int) -> Int in
            _ = try await connection.get()
            if number > 50 { try await Signal().waitOrCancel() }
            throw TestError()
        }
        try await withRequestStore { store in
            for number in 0..<60 { _ = await Task { try? await memo(number) }.value }
            for number in 100..<110 {
                let task = Task { try await memo(number) }
                task.cancel()
                _ = await task.result
            }
            await until { store.memos == 0 }
            let left = store.core.request.state.withLock { ($0.lifecycle.entries.count, $0.lifecycle.calls.count) }
            #expect(left == (1, 0), "the connection")
        }
    }

    @Test("Rule 11: many values that come and go leave nothing behind")
    func comeAndGo() async throws {
        let connection = Self.numbered()
        let inner = RequestMemo("inner") { (number: Int) in try await connection.get() + number }
        let outer = RequestMemo("outer") { (number: Int) in try await inner(number % 7) + inner(number % 5) }
        try await withRequestStore { store in
            for round in 0..<5 {
                for number in 0..<100 { _ = try await outer(number) }
                switch round {
                case 0: try await connection.release(.commit)
                case 1: try inner.forgetAll()
                case 2: for number in 0..<7 { try inner.forget(number) }
                case 3:
                    try outer.forgetAll()
                    try inner.forgetAll()
                default: try await connection.release(.rollback)
                }
                #expect(store.memos == 0, "round \(round)")
                let left = store.core.request.state.withLock { $0.acquisitions.all.map(\.resource.name) }
                #expect(left == (round == 0 || round == 4 ? [] : ["connection"]), "round \(round)")
            }
        }
    }

    @Test(
        "Rule 14: what a factory learned from a memo makes its resource depend on what that used",
        arguments: Path.allCases
    )
    func factoryUsesMemo(_ path: Path) async throws {
        for isKept in [false, true] {
            let journal = Journal()
            let connection = RequestResource("connection") {
                1
            } release: { _, _ in
                journal.note("release connection")
            }
            let memo = Self.memo(path, of: connection, Counter())
            let built = RequestResource("built") {
                try await memo()
            } release: { _, _ in
                await pause()
                journal.note("release built")
            }
            try await withRequestStore { _ in
                if isKept { _ = try await memo() }
                _ = try await built.get()
                try await connection.release(.commit)
                #expect(built.valueIfHeld == nil)
                #expect(journal.entries == ["release built", "release connection"], "\(path), kept: \(isKept)")
            }
        }
    }

    @Test(
        "Rule 11: a call whose resource is lost or released before it ends is delivered and not kept",
        arguments: [false, true]
    )
    func goneBeforeArrival(isLost: Bool) async throws {
        let lose = Signal()
        let connection = losable(lose: lose)
        let (begun, end) = (Signal(), Signal())
        let memo = RequestMemo("memo") { () -> Int in
            let value = try await connection.get()
            begun.fire()
            await end.wait()
            return value
        }
        let scope = StoreScope(report: { _ in })
        try await scope.run {
            let callers = (0..<3).map { _ in Task { try await memo() } }
            await begun.wait()
            if isLost {
                lose.fire()
                await until { connection.valueIfHeld == nil }
            } else {
                // It is in use by the memo.
                #expect(await reason { try await connection.release(.commit) }?.name == "inUse")
                try memo.forget()
            }
            end.fire()
            for caller in callers {
                let value = try await caller.value
                #expect(value == 1)
            }
            #expect(scope.store.memos == 0)
            if isLost { #expect(await reason { try await memo() }?.name == "resourceLost") }
        }
        await scope.close()
    }
}

extension RequestStore {
    /// How many values and calls of memos the store has.
    var memos: Int {
        core.request.state.withLock { state in
            state.read(core.scope) { $0.memos.isEmpty ? 0 : max(1, $0.memos.entries.count) }
        }
    }
}
