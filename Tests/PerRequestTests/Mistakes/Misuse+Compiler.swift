import Testing

/// A misuse that must not compile, and what the compiler says to it.
struct Mistake: Sendable, CustomTestStringConvertible {
    let number: Int
    let name: String
    /// The expression with the mistake.
    let code: String
    /// What has to be in one of the messages.
    let message: String
    /// Whether it can stand for the value of a static constant, too.
    var isKey = true
    /// How many errors there are.
    var errors = 1

    var testDescription: String { "\(number). \(name)" }

    /// The mistake outside and inside of a function's body.
    var places: [String] {
        let inside = "func inBody() async throws { let found = \(code); _ = found }"
        let closure =
            "func inClosure() { let body = { () async throws -> Void in let found = \(code); _ = found }; _ = body }"
        return [inside, closure] + (isKey ? ["enum Keys { static let key = \(code) }"] : [])
    }

    static let all = [
        Mistake(
            number: 56,
            name: "a value that is not optional, without `initial:`",
            code: #"RequestLocal<User>("user")"#,
            message: "a value that is not optional needs `default:` or `initial:`"
        ),
        Mistake(
            number: 57,
            name: "`require(or:)` of a value that is not optional",
            code: "try Current.locale.require(or: CancellationError())",
            message: "the value is not optional, so that it is always there: `require()`",
            isKey: false
        ),
        Mistake(
            number: 58,
            name: "`get()` of a value that is not Sendable",
            code: "try await Current.client.get()",
            message: "the value is not Sendable: use it in the body of `useExclusively",
            isKey: false
        ),
        Mistake(
            number: 59,
            name: "`get()` of a value that is not Sendable, used at once",
            code: "try await Current.client.get().query()",
            message: "the value is not Sendable: use it in the body of `useExclusively",
            isKey: false
        ),
        Mistake(
            number: 60,
            name: "`get(in:)` of a value that is not Sendable",
            code: "try await Current.client.get(in: requestStore()).query()",
            message: "the value is not Sendable: use it in the body of `useExclusively",
            isKey: false
        ),
        Mistake(
            number: 61,
            name: "`use` of a value that is not Sendable",
            code: "try await Current.client.use { client in try await client.query() }",
            message: "the value is not Sendable: use it in the body of `useExclusively",
            isKey: false
        ),
        Mistake(
            number: 62,
            name: "`valueIfHeld` of a value that is not Sendable",
            code: "Current.client.valueIfHeld?.rows",
            message: "the value is not Sendable: use it in the body of `useExclusively",
            isKey: false,
            errors: 2
        ),
        Mistake(
            number: 63,
            name: "a memo that gets a value that is not Sendable",
            code: #"RequestMemo("rows") { (id: Int) in try await Current.client.get().query() }"#,
            message: "the value is not Sendable: use it in the body of `useExclusively"
        ),
        Mistake(
            number: 64,
            name: "`useExclusively` that returns the value",
            code: "try await Current.client.useExclusively { client in client }",
            message: "type 'Client' does not conform to the 'Sendable' protocol",
            isKey: false
        ),
        Mistake(
            number: 65,
            name: "`useExclusively` that returns the value in something else",
            code: "try await Current.client.useExclusively { client in [client] }",
            message: "type 'Client' does not conform to the 'Sendable' protocol",
            isKey: false
        ),
        Mistake(
            number: 66,
            name: "`around` that does not mention `use`",
            code: """
                RequestResource.around("key") { use in
                    try await Current.connection.get().withTransaction { transaction in transaction.insert() }
                }
                """,
            message: "call `use(_:)` with the resource, exactly once, and return what it returned"
        ),
        Mistake(
            number: 67,
            name: "`around` that ignores `use`",
            code: #"RequestResource.around("key") { _ in 1 }"#,
            message: "call `use(_:)` with the resource, exactly once, and return what it returned"
        ),
        Mistake(
            number: 68,
            name: "`around` on another one that does not mention `use`",
            code: """
                RequestResource.around("key", on: Current.connection) { connection, use in
                    try await connection.withTransaction { transaction in transaction.insert() }
                }
                """,
            message: "call `use(_:)` with the resource, exactly once, and return what it returned"
        ),
        Mistake(
            number: 69,
            name: "`around` that does not return what `use` returned",
            code: """
                RequestResource.around("key") { use in
                    try await Current.connection.get().withTransaction { transaction in _ = try await use(transaction) }
                }
                """,
            message: "return what `use(_:)` returned, or `use.receipt()`"
        ),
        Mistake(
            number: 70,
            name: "`around` a function that returns nothing",
            code: """
                RequestResource.around("key", released: .beforeResponse) { use in
                    try await Current.connection.get().withNothing { transaction in _ = try await use(transaction) }
                }
                """,
            message: "return what `use(_:)` returned, or `use.receipt()`"
        ),
        Mistake(
            number: 71,
            name: "`around` on another one, of a function that returns nothing",
            code: """
                RequestResource.around("key", on: Current.connection, released: .beforeResponse) { connection, use in
                    try await connection.withNothing { transaction in _ = try await use(transaction) }
                }
                """,
            message: "return what `use(_:)` returned, or `use.receipt()`"
        ),
    ]
}

extension Mistake {
    /// What is used of a product whose trait is off.
    static let traits: [(product: String, code: String)] = {
        var all: [(String, String)] = []
        #if !Hummingbird
        all += [("Hummingbird", "RequestStoreMiddleware()"), ("Hummingbird", "RequestStoreMiddleware<User>()")]
        all += [("Hummingbird", "RequestStoreServer.http1()"), ("Hummingbird", "RequestStoreRouter()")]
        all += [("Hummingbird", "RequestStoreRouter(context: User.self)")]
        all += [("Hummingbird", "RequestStoreRouteCollection(context: User.self)")]
        #endif
        #if !ServiceLifecycle
        all += [("ServiceLifecycle", "try await BackgroundWork().run()")]
        #endif
        #if !GRPC
        all += [("GRPC", "RequestStoreInterceptor()"), ("GRPC", "CurrentRPC.self")]
        #endif
        #if !NIO
        all += [("NIO", "try await withRequestScope(on: 1) { _ in 2 }"), ("NIO", "RequestEventLoop.self")]
        #endif
        #if !FlyingFox
        all += [("FlyingFox", "RequestStoreHandler(1)")]
        #endif
        #if !Metrics
        all += [("Metrics", "RequestMetrics()")]
        #endif
        #if !Tracing
        all += [("Tracing", "RequestTracing()"), ("Tracing", "RequestBaggage()")]
        #endif
        return all
    }()
}
