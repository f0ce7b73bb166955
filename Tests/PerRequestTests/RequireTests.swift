import PerRequest
import Testing

@Suite("`require`: the value, or an error (rules 6 and 23)")
struct RequireTests {
    private struct User: Equatable { var name: String }
    private struct Unauthorized: Error, Equatable {}

    private static let user = RequestLocal<User?>("user")
    private static let count = RequestLocal("count", default: 7)
    private static let made = RequestLocal("made", initial: { Int.random(in: 0...Int.max) })
    private static let maybe = RequestLocal<Int?>("maybe", default: 7)

    @Test("It gives what was set, without the optional, whether its type is written or not")
    func optional() async throws {
        try await withRequestStore { store in
            try Self.user.set(User(name: "alice"))
            let inferred = try Self.user.require()
            #expect(inferred.name == "alice")
            let written: User = try Self.user.require()
            let asOptional: User? = try Self.user.require()
            #expect(written == asOptional)
            #expect(try Self.user.require(in: store).name == "alice")
            #expect(try Self.user.require(or: Unauthorized()).name == "alice")
            #expect(try Self.user.require(or: Unauthorized(), in: store).name == "alice")
            #expect(try Self.maybe.require() + 1 == 8)
        }
    }

    @Test("Of a value that is not optional it gives what was set, or the default")
    func total() async throws {
        try await withRequestStore { store in
            let unset = try Self.count.require()
            #expect(unset + 1 == 8)
            #expect(try Self.made.require() == Self.made.require(in: store))
            try Self.count.set(1)
            #expect(try Self.count.require() == 1)
            try await withRequestStore(.child) { child in
                let inherited = try Self.count.require(in: child)
                #expect(inherited == 1)
                #expect(try Self.made.require() == Self.made.value(in: store))
            }
        }
    }

    @Test("It throws where an optional is nil, also one that asks for an optional, and one whose nil was set")
    func unset() async throws {
        try await withRequestStore { store in
            #expect(await reason { try Self.user.require() }?.name == "unset")
            #expect(
                await reason {
                    let user: User? = try Self.user.require(); return user
                }?.name == "unset"
            )
            #expect(await reason { try Self.user.require(in: store) }?.name == "unset")
            try Self.maybe.set(nil)
            #expect(await reason { try Self.maybe.require() }?.name == "unset")
        }
    }

    @Test("The error of `or:` is thrown where the value is nil, and made only then")
    func or() async throws {
        var made = 0
        func unauthorized() -> Unauthorized {
            made += 1
            return Unauthorized()
        }
        try await withRequestStore { store in
            #expect(throws: Unauthorized()) { try Self.user.require(or: unauthorized()) }
            #expect(throws: Unauthorized()) { try Self.user.require(or: unauthorized(), in: store) }
            #expect(made == 2)
            try Self.user.set(User(name: "alice"))
            _ = try Self.user.require(or: unauthorized())
            #expect(made == 2)
        }
    }

    @Test("Outside a request and after it the error of `or:` would blame the client: it is not thrown")
    func outside() async throws {
        let store = try await withRequestStore { store in
            try Self.user.set(User(name: "alice"))
            return store
        }
        #expect(await reason { try Self.user.require(or: Unauthorized()) }?.name == "outsideRequest")
        #expect(await reason { try Self.user.require(or: Unauthorized(), in: store) }?.name == "requestEnded")
        #expect(await reason { try Self.count.require() }?.name == "outsideRequest")
        #expect(await reason { try Self.count.require(in: store) }?.name == "requestEnded")
        #expect(await reason { try Self.made.require(in: store) }?.name == "requestEnded")
    }

    @Test("Nor is it where the key was set and is made at each access; another key of the name is none of its business")
    func declarations() async throws {
        func key() -> RequestLocal<Int?> { RequestLocal("anew") }
        let other = RequestLocal<Int?>("user")
        try await withRequestStore { _ in
            #expect(throws: Unauthorized()) { try key().require(or: Unauthorized()) }
            try key().set(1)
            #expect(await reason { try key().require(or: Unauthorized()) }?.name == "otherKeySet")
            try other.set(1)
            #expect(throws: Unauthorized()) { try Self.user.require(or: Unauthorized()) }
        }
    }

    @Test("Generic code gets the value as it is")
    func generic() async throws {
        func value<Value>(of key: RequestLocal<Value>) throws -> Value { try key.require() }
        try await withRequestStore { _ in
            #expect(try value(of: Self.count) == 7)
            try Self.user.set(User(name: "alice"))
            #expect(try value(of: Self.user)?.name == "alice")
        }
    }

    @available(*, deprecated)
    @Test("`get()` stays for a release, and gives nil where nothing was set")
    func deprecated() async throws {
        try await withRequestStore { store in
            let user = try Self.user.get()
            #expect(user == nil)
            #expect(try Self.count.get(in: store) == 7)
        }
    }
}
