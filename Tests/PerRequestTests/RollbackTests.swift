import Testing

@testable import PerRequest

@Suite("The rollback is recognized in a driver's error (rule 17)", .timeLimit(.minutes(10)))
struct RollbackTests {
    private struct Plain: Error {}

    private struct Holding<Value: Sendable>: Error {
        let before = "before"
        let value: Value
    }

    private enum Payload: Error {
        case none
        case plain(any Error)
        case labelled(cause: any Error)
        case several(code: Int, cause: any Error, String)
        indirect case nested(Payload)
        case list([any Error])
    }

    /// What is no error itself.
    private struct Context: Sendable {
        var code = 7
        let cause: (any Error)?
    }

    private class Base: Error, @unchecked Sendable {
        var cause: (any Error)?

        init(_ cause: (any Error)?) { self.cause = cause }
    }

    private class Middle: Base, @unchecked Sendable {
        let code = 7
    }

    private final class Derived: Middle, @unchecked Sendable {
        var others: [any Error] = []
        var byName: [String: [any Error]] = [:]
    }

    /// An object that is no error: a connection, for example.
    private final class Connection: Sendable {
        let lastError: any Error

        init(_ lastError: any Error) { self.lastError = lastError }
    }

    /// Has more to look at than there is time for.
    private struct Endless: Error, CustomReflectable {
        var customMirror: Mirror {
            let numbers = sequence(first: 0) { $0 + 1 }
            return Mirror(
                self,
                children: AnyCollection(Array(numbers.prefix(10)).map { ("\($0)", Endless()) as Mirror.Child })
            )
        }
    }

    private static let kinds: [(String, @Sendable (any Error) -> any Error)] = [
        ("itself", { $0 }),
        ("a property", { Holding(value: $0) }),
        ("an optional", { Holding<(any Error)?>(value: $0) }),
        ("two optionals", { Holding<(any Error)??>(value: $0) }),
        ("a typed property", { Holding(value: $0 as! RequestRollback) }),
        ("a typed optional", { Holding<RequestRollback?>(value: $0 as? RequestRollback) }),
        ("a tuple", { Holding(value: (1, $0)) }),
        ("a labelled tuple", { Holding(value: (code: 1, cause: $0)) }),
        ("an array", { Holding<[any Error]>(value: [Plain(), $0, Plain()]) }),
        ("an array of optionals", { Holding<[(any Error)?]>(value: [nil, $0]) }),
        ("a dictionary", { Holding<[String: any Error]>(value: ["a": Plain(), "b": $0]) }),
        ("a dictionary of arrays", { Holding<[Int: [any Error]]>(value: [1: [], 2: [Plain(), $0]]) }),
        ("a result", { Holding<Result<Int, any Error>>(value: .failure($0)) }),
        ("a struct that is no error", { Holding(value: Context(cause: $0)) }),
        ("such a struct in an array", { Holding<[Context]?>(value: [Context(cause: nil), Context(cause: $0)]) }),
        ("a payload", { Payload.plain($0) }),
        ("a labelled payload", { Payload.labelled(cause: $0) }),
        ("one of several payloads", { Payload.several(code: 1, cause: $0, "") }),
        ("an indirect payload", { Payload.nested(.nested(.labelled(cause: $0))) }),
        ("a payload's array", { Payload.list([Payload.none, Payload.list([$0])]) }),
        ("a class's property", { Base($0) }),
        ("an inherited property", { Derived($0) }),
        (
            "a subclass's own property",
            { error in
                let derived = Derived(nil)
                derived.byName = ["a": [Plain()], "b": [Plain(), Middle(error)]]
                return derived
            }
        ),
        ("16 errors", { (0..<16).reduce($0) { error, _ in Holding<(any Error)?>(value: error) } }),
        ("a long property before it", { Holding(value: ([UInt8](repeating: 0, count: 1_000_000), $0)) }),
        (
            "an error that refers to itself",
            { error in
                let cyclic = Derived(nil)
                (cyclic.cause, cyclic.others) = (cyclic, [cyclic, Middle(Derived(error)), cyclic])
                return cyclic
            }
        ),
    ]

    private static let rollback = RequestRollback(
        outcome: RequestOutcome(verdict: .rollback, status: nil, ending: .completed, releaseFailures: [])
    )

    @Test("in whatever it is wrapped", arguments: kinds.indices)
    func isFound(_ index: Int) {
        let (name, wrap) = Self.kinds[index]
        #expect(RequestRollback.isCarried(by: wrap(Self.rollback)), "\(name)")
        guard !name.contains("typed"), name != "itself" else { return }
        #expect(!RequestRollback.isCarried(by: wrap(Plain())), "\(name)")
    }

    @Test("no error is looked into without end, and no object that is no error at all")
    func ends() {
        let cyclic = Derived(nil)
        (cyclic.cause, cyclic.others) = (cyclic, [cyclic, cyclic])
        #expect(!RequestRollback.isCarried(by: cyclic))
        // Two that refer to each other, many times over.
        let (left, right) = (Derived(nil), Derived(nil))
        (left.others, right.others) = (Array(repeating: right, count: 50), Array(repeating: left, count: 50))
        #expect(!RequestRollback.isCarried(by: left))
        #expect(!RequestRollback.isCarried(by: Endless()))
        var deep: any Error = Self.rollback
        for _ in 0..<100_000 { deep = Base(deep) }
        #expect(!RequestRollback.isCarried(by: deep))
        // One after another: letting such a chain go at once would take a stack as deep.
        while let base = deep as? Base, let cause = base.cause {
            base.cause = nil
            deep = cause
        }
        #expect(!RequestRollback.isCarried(by: Holding(value: Connection(Self.rollback))))
        for object in [cyclic, left, right] { (object.cause, object.others) = (nil, []) }
    }

    @Test(
        "an around function that throws it wrapped is not reported, and one that throws a cyclic error is",
        arguments: [true, false]
    )
    func around(_ isWrapped: Bool) async throws {
        let reports = Reports()
        let transaction = RequestResource<Int>.around("transaction") { use in
            do {
                return try await use(1)
            } catch {
                let wrapping = Derived(nil)
                wrapping.others = [wrapping]
                if isWrapped { wrapping.byName = ["cause": [Payload.several(code: 1, cause: error, "")]] }
                throw wrapping
            }
        }
        let scope = StoreScope(report: reports.take)
        _ = try await transaction.get(in: scope.store)
        scope.fail(TestError())
        await scope.close()
        #expect(reports.all.count == (isWrapped ? 0 : 1))
    }

    @Test("an around function that throws another's before it calls `use` fails its acquisition")
    func neverCalled() async throws {
        let resource = RequestResource<Int>.around("resource") { _ in throw Self.rollback }
        try await withRequestStore { _ in
            await #expect(throws: RequestRollback.self) { try await resource.get() }
        }
    }
}
