import PerRequest

extension Misuse {
    private static let user = RequestLocal<String?>("user", fileID: keys, line: 3, column: 23)
    private static let hits = RequestLocal("hits", default: 0)

    static let ofValues = [
        Misuse(
            1,
            "a value is required outside of any request",
            says: """
                "user", used at Shop/Routes.swift:12: no request is being served here. Serve it through a \
                PerRequest adapter, wrap the work in `withRequestStore { }`, or, in a callback, carry the \
                request with a `RequestSnapshot`. In a test, use `withTestRequestStore { }` or the trait \
                `.requestStore` of PerRequestTesting. [outsideRequest]
                """
        ) {
            await words { try user.require(fileID: routes, line: 12) }
        },
        Misuse(
            2,
            "a value is set outside of any request",
            says: """
                "user", used at Shop/Routes.swift:12: no request is being served here. Serve it through a \
                PerRequest adapter, wrap the work in `withRequestStore { }`, or, in a callback, carry the \
                request with a `RequestSnapshot`. In a test, use `withTestRequestStore { }` or the trait \
                `.requestStore` of PerRequestTesting. [outsideRequest]
                """
        ) {
            await words { try user.set("alice", fileID: routes, line: 12) }
        },
        Misuse(
            3,
            "a value is set by a task that has outlived its request",
            says: """
                request 7: "user", used at Shop/Routes.swift:12: the request is over and its store is closed. A \
                task that outlives the request has to copy what it needs before it starts. [requestEnded]
                """
        ) {
            let over = Signal()
            let task = try await withRequestStore(id: "7") { _ in
                Task {
                    await over.wait()
                    return await words { try user.set("alice", fileID: routes, line: 12) }
                }
            }
            over.fire()
            return await task.value
        },
        Misuse(
            4,
            "a value is required by a task that has outlived its child store",
            says: """
                request 7/1: "hits", used at Shop/Routes.swift:12: the child store is closed; its request goes \
                on. What outlives the body of `withRequestStore` has to copy what it needs before it starts, or \
                to use the request's store. [childStoreEnded]
                """
        ) {
            try await withRequestStore(id: "7") { _ in
                let over = Signal()
                let task = try await withRequestStore(.child) { _ in
                    Task {
                        await over.wait()
                        return await words { try hits.require(fileID: routes, line: 12) }
                    }
                }
                over.fire()
                return await task.value
            }
        },
        Misuse(
            5,
            "a value is required that no middleware has set",
            says: """
                request 7: "user", used at Shop/Routes.swift:12: nothing has been set in this request: set it in \
                a middleware that runs before, read `value`, which is nil where unset, or answer the client with \
                `require(or:)`. [unset]
                """
        ) {
            try await withRequestStore(id: "7") { _ in await words { try user.require(fileID: routes, line: 12) } }
        },
        Misuse(
            6,
            "the key is a computed property",
            says: """
                request 7: "computed", used at Shop/Routes.swift:12: nothing has been set with this key. Its \
                declaration, at Shop/Current.swift:4:44, has made another one that has been set: each access \
                makes a new key. Declare it as `static let`. [otherKeySet]
                """
        ) {
            var user: RequestLocal<String?> { RequestLocal("computed", fileID: keys, line: 4, column: 44) }
            return try await withRequestStore(id: "7") { _ in
                try user.set("alice")
                return await words { try user.require(fileID: routes, line: 12) }
            }
        },
        Misuse(
            7,
            "the key is an instance's property",
            says: """
                request 7: "instance", used at Shop/Routes.swift:12: nothing has been set with this key. Its \
                declaration, at Shop/Current.swift:5:16, has made another one that has been set: each access \
                makes a new key. Declare it as `static let`. [otherKeySet]
                """
        ) {
            struct Handler {
                let user = RequestLocal<String?>("instance", fileID: keys, line: 5, column: 16)
            }
            return try await withRequestStore(id: "7") { _ in
                try Handler().user.set("alice")
                return await words { try Handler().user.require(or: TestError("401"), fileID: routes, line: 12) }
            }
        },
        Misuse(
            8,
            "two keys have one name",
            says: """
                request 7: "user", used at Shop/Routes.swift:12: nothing has been set with this key, which is \
                declared at Shop/Current.swift:3:23. What has been set is another key of this name, declared at \
                Shop/Accounts.swift:9:23. Use one of them everywhere. [otherKeySet]
                """
        ) {
            let others = RequestLocal<Int?>("user", fileID: "Shop/Accounts.swift", line: 9, column: 23)
            return try await withRequestStore(id: "7") { _ in
                try others.set(1)
                return await words { try user.require(fileID: routes, line: 12) }
            }
        },
        Misuse(
            9,
            "a key is made at each access, for ever",
            says: """
                request 7: "made anew", used at Shop/Routes.swift:12: it cannot be used: its declaration, at \
                Shop/Current.swift:6:37, has made 1000 keys, one at each access. Declare it as `static let`. \
                [keyMadeAnew]
                """
        ) {
            var hits: RequestLocal<Int> { RequestLocal("made anew", default: 0, fileID: keys, line: 6, column: 37) }
            return try await withRequestStore(id: "7") { _ in
                for _ in 0..<1_000 { try hits.set(1) }
                return await words { try hits.update(fileID: routes, line: 12) { $0 += 1 } }
            }
        },
        Misuse(
            10,
            "a value by name is asked for as another type",
            says: """
                request 7: "prisma": the value set under this name is of type Int, and String was asked for. Ask \
                for Int. [typeMismatch]
                """
        ) {
            try await withRequestStore(id: "7") { store in
                try store.set("prisma", to: 1)
                return await words { try store.get("prisma", as: String.self) }
            }
        },
        Misuse(
            11,
            "an `initial` needs itself",
            says: """
                request 7: "left", used at Shop/Current.swift:8: it depends on itself: "left" needs "right" \
                needs "left". Let one of them have what it needs as a parameter, or read it before. [cycle]
                """
        ) {
            enum Keys {
                static let refused = Journal()
                static let left: RequestLocal<Int> = RequestLocal("left", initial: { right.value })
                static let right: RequestLocal<Int> = RequestLocal(
                    "right",
                    initial: {
                        do {
                            return try left.require(fileID: keys, line: 8)
                        } catch {
                            refused.note("\(error)")
                            return 0
                        }
                    }
                )
            }
            return try await withRequestStore(id: "7") { _ in
                _ = Keys.left.value
                return Keys.refused.entries.joined()
            }
        },
        Misuse(
            12,
            "a value is updated inside of its own update",
            says: """
                request 7: "hits", used at Shop/Routes.swift:12: it depends on itself: "hits" needs "hits". Let \
                one of them have what it needs as a parameter, or read it before. [cycle]
                """
        ) {
            try await withRequestStore(id: "7") { _ in
                await words {
                    try hits.update { hits in
                        hits += try Misuse.hits.update(fileID: routes, line: 12) {
                            $0 += 1; return $0
                        }
                    }
                }
            }
        },
    ]
}
