import PerRequest
import Synchronization
import Testing

@Suite("Memos")
struct MemoTests {
    @Test("One call for each request and arguments; callers at once share a flight")
    func memoized() async throws {
        let calls = Counter()
        let memo = RequestMemo("memo") { (number: Int, text: String) in
            calls.next()
            await Task.yield()
            return "\(number) \(text)"
        }
        try await withRequestStore { _ in
            let results = try await withThrowingTaskGroup { group in
                for number in 0..<8 { group.addTask { try await memo(number % 2, "x") } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(results == ["0 x", "1 x"])
            #expect(calls.count == 2)
            _ = try await memo(0, "y")
            #expect(calls.count == 3)
        }
        try await withRequestStore { _ in _ = try await memo(0, "x") }
        #expect(calls.count == 4)
    }

    @Test("A memo without arguments, and failures that are not kept")
    func failures() async throws {
        let calls = Counter()
        let memo = RequestMemo("memo") { () in
            if calls.next() == 1 { throw TestError() }
            return 7
        }
        try await withRequestStore { _ in
            await #expect(throws: TestError.self) { try await memo() }
            let value = try await memo()
            #expect(value == 7)
            _ = try await memo()
        }
        #expect(calls.count == 2)
    }

    @Test("Forgetting calls the function again")
    func forget() async throws {
        let calls = Counter()
        let memo = RequestMemo("memo") { (key: String) in "\(key) \(calls.next())" }
        try await withRequestStore { _ in
            let first = try await memo("a")
            try memo.forget("a")
            let second = try await memo("a")
            #expect([first, second] == ["a 1", "a 2"])
        }
    }

    @Test("Values asked for again are those of their arguments, however many there are, among other values too")
    func manyAgain() async throws {
        let others = (0..<20).map { RequestLocal("other \($0)", default: 0) }
        let calls = Counter()
        let memo = RequestMemo("memo") { (number: Int) in
            calls.next()
            return number
        }
        for count in [3, 10_000] {
            let before = calls.count
            try await withRequestStore { _ in
                if count == 3 { for other in others { try other.set(1) } }
                for round in 0..<4 {
                    for number in 0..<count {
                        let value = try await memo(number)
                        if value != number { Issue.record("\(value) for \(number) in round \(round)") }
                    }
                }
            }
            #expect(calls.count == before + count)
        }
    }

    @Test("Values of arguments that have one hash are told apart, also when they are asked for again")
    func oneHash() async throws {
        struct Key: Hashable, Sendable {
            let number: Int
            func hash(into hasher: inout Hasher) {}
        }
        let memo = RequestMemo("memo") { (key: Key, other: Key) in key.number * 10 + other.number }
        try await withRequestStore { _ in
            for _ in 0..<4 {
                for number in 0..<20 {
                    let value = try await memo(Key(number: number / 5), Key(number: number % 5))
                    #expect(value == number / 5 * 10 + number % 5)
                }
            }
        }
    }

    @Test("Rule 11: what was forgotten is found by nobody who asks after that, while others ask all the time")
    func forgottenAgain() async throws {
        let version = Counter()
        let memo = RequestMemo("memo") { (_: Int) in version.next() }
        let isOver = Counter()
        try await withRequestStore { _ in
            try await withThrowingTaskGroup { group in
                for _ in 0..<2 {
                    group.addTask {
                        while isOver.count == 0 {
                            for argument in 0..<3 { _ = try await memo(argument) }
                            await Task.yield()
                        }
                    }
                }
                for round in 0..<1_000 {
                    for argument in 0..<3 { _ = try await memo(argument) }
                    let before = version.count
                    if round % 2 == 0 {
                        try memo.forgetAll()
                    } else {
                        for argument in 0..<3 { try memo.forget(argument) }
                    }
                    for argument in 0..<3 {
                        let now = try await memo(argument)
                        #expect(now > before)
                    }
                }
                isOver.next()
                try await group.waitForAll()
            }
        }
    }

    @Test("Rule 11: what was asked for again is forgotten with what it was built on")
    func releasedAgain() async throws {
        let version = Counter()
        let connection = RequestResource("connection") {
            version.next()
        } release: { _, _ in
        }
        let memo = RequestMemo("memo") { (_: Int) in try await connection.get() }
        try await withRequestStore { _ in
            for round in 1...3 {
                for _ in 0..<4 {
                    let value = try await memo(7)
                    #expect(value == round)
                }
                try await connection.release(.commit)
            }
        }
    }

    @Test("Rule 8: `hash` and `==` of arguments may use the store")
    func reentrantArguments() async throws {
        let seen = RequestLocal("seen", default: 0)
        struct Key: Hashable, Sendable {
            let seen: RequestLocal<Int>
            let number: Int

            static func == (lhs: Key, rhs: Key) -> Bool {
                _ = try? lhs.seen.update { $0 += 1 }
                return lhs.number == rhs.number
            }

            func hash(into hasher: inout Hasher) { _ = try? seen.update { $0 += 1 } }
        }
        let memo = RequestMemo("memo") { (key: Key) in key.number }
        try await withRequestStore { _ in
            for number in 0..<5 {
                let value = try await memo(Key(seen: seen, number: number))
                #expect(value == number)
            }
            #expect(seen.value > 10)
        }
    }

    @Test("Outside a request and after it a memo throws; its values are dropped")
    func lifetime() async throws {
        let journal = Journal()
        let memo = RequestMemo("memo") { (number: Int) in Tracked { journal.note("dropped \(number)") } }
        #expect(await reason { try await memo(1) }?.name == "outsideRequest")
        let store = try await withRequestStore { store in
            _ = try await memo(1)
            return store
        }
        #expect(journal.entries == ["dropped 1"])
        #expect(await reason { try await memo.value(of: 1, in: store) }?.name == "requestEnded")
    }

    @Test("Rule 11: a memo that needs itself is told the path; a memo that outlives what it needs is captive")
    func dependencies() async throws {
        enum Keys {
            static let even: RequestMemo<Bool, Int> = RequestMemo("even") { (number: Int) -> Bool in
                number == 0 ? true : try await odd(number - 1)
            }
            static let odd: RequestMemo<Bool, Int> = RequestMemo("odd") { (number: Int) -> Bool in
                number == 0 ? false : try await even(number == 5 ? 6 : number - 1)
            }
            static let early = RequestResource("early", released: .beforeResponse) {
                1
            } release: { _, _ in
            }
            static let long = RequestMemo("long") { () in try await early.get() }
            static let short = RequestMemo("short", until: .beforeResponse) { () in try await early.get() }
        }
        try await withRequestStore { _ in
            let isEven = try await Keys.even(4)
            #expect(isEven)
            let cycle = try #require(await reason { try await Keys.even(6) })
            #expect("\(cycle)" == #"cycle(["odd", "even", "odd"])"#)
            let captive = try #require(await reason { try await Keys.long() })
            #expect("\(captive)" == #"captive(by: "long")"#)
            let short = try await Keys.short()
            #expect(short == 1)
        }
    }
}
