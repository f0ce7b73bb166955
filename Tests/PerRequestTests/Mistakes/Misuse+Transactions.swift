import PerRequest

extension Misuse {
    private static let connection = resource()

    private static func onConnection(_ name: String = "transaction") -> RequestResource<Int> {
        .around(name, on: connection, released: .beforeResponse, fileID: keys, line: 9) { connection, use in
            try await use(connection)
        }
    }

    static let ofTransactions = [
        Misuse(
            35,
            "an `around` function returns before it calls `use`",
            says: """
                request 7: "transaction", used at Shop/Routes.swift:12: the function given to `around` ended \
                without calling `use`: call `use` with the resource, exactly once. [useNeverCalled]
                """
        ) {
            let transaction = RequestResource<Int>.around("transaction") { use in use.receipt() }
            return try await withRequestStore(id: "7") { _ in
                await words { try await transaction.get(fileID: routes, line: 12) }
            }
        },
        Misuse(
            36,
            "an `around` function tries again",
            says: """
                request 7: a release failed: "transaction", acquired at Shop/Routes.swift:12: the function given \
                to `around` called `use` a second time. A request cannot be replayed: turn its retries off. \
                [useCalledTwice] [releaseFailed]
                """
        ) {
            let transaction = RequestResource<Int>.around("transaction", released: .beforeResponse) { use in
                let receipt = try await use(1)
                _ = try? await use(2)
                return receipt
            }
            return await serve { _ in _ = try await transaction.get(fileID: routes, line: 12) }.joined()
        },
        Misuse(
            37,
            "an `around` function swallows what `use` threw",
            says: """
                request 7: a release failed: "transaction", acquired at Shop/Routes.swift:12: the function given \
                to `around` returned although `use` threw. What should have been rolled back may be committed: \
                let the error of `use` through. [rollbackSwallowed] [releaseFailed]
                """
        ) {
            let transaction = RequestResource<Int>.around("transaction") { use in
                (try? await use(1)) ?? use.receipt()
            }
            return await serve { _ in
                _ = try await transaction.get(fileID: routes, line: 12)
                throw TestError()
            }.joined()
        },
        Misuse(
            38,
            "an `around` function ends while its value is used",
            says: """
                request 7: "transaction", used at Shop/Routes.swift:12: the function given to `around` ended \
                while the request was using it. Look for what ended it: a connection that was lost, or a time \
                limit of its own. [resourceLost]
                """
        ) {
            let reports = Reports()
            let die = Signal()
            let transaction = RequestResource<Int>.around("transaction") { use in
                try await withThrowingTaskGroup(of: RequestUse<Int>.Receipt.self) { group in
                    group.addTask { try await use(1) }
                    group.addTask {
                        await die.wait()
                        throw TestError("connection lost")
                    }
                    return try await group.next()!
                }
            }
            let scope = StoreScope(id: "7", report: reports.take)
            _ = try await transaction.get(in: scope.store)
            die.fire()
            await reports.first.wait()
            let words = await words { try await transaction.get(in: scope.store, fileID: routes, line: 12) }
            await scope.close()
            return words
        },
        Misuse(
            39,
            "a second transaction is begun on the connection of the first",
            says: """
                request 7: "connection", used at Shop/Current.swift:9: it cannot be had for "audit": \
                "transaction" is made on it and has it for itself until it has ended: one at a time. Work inside \
                of "transaction", with a savepoint for what may be undone on its own; or open a child store that \
                owns this as well. [claimed]
                """
        ) {
            let (transaction, audit) = (onConnection(), onConnection("audit"))
            return try await withRequestStore(id: "7") { _ in
                _ = try await transaction.get()
                return await words { try await audit.get(fileID: routes, line: 12) }
            }
        },
        Misuse(
            40,
            "a child store owns the transaction, and not its connection",
            says: """
                request 7/1: "connection", used at Shop/Current.swift:9: it cannot be had for "transaction": \
                "transaction" is made on it and has it for itself until it has ended: one at a time. Work inside \
                of "transaction", with a savepoint for what may be undone on its own; or open a child store that \
                owns this as well. [claimed]
                """
        ) {
            let transaction = onConnection()
            return try await withRequestStore(id: "7") { _ in
                _ = try await transaction.get()
                return try await withRequestStore(.child(owning: transaction)) { _ in
                    await words { try await transaction.get(fileID: routes, line: 12) }
                }
            }
        },
        Misuse(
            41,
            "the connection is wanted exclusively inside of a transaction",
            says: """
                request 7: "connection", used at Shop/Routes.swift:12: it cannot be had exclusively: \
                "transaction" is made on it and has it for itself until it has ended: one at a time. Work inside \
                of "transaction", with a savepoint for what may be undone on its own; or open a child store that \
                owns this as well. [claimed]
                """
        ) {
            let transaction = onConnection()
            return try await withRequestStore(id: "7") { _ in
                _ = try await transaction.get()
                return await words { try await connection.useExclusively(fileID: routes, line: 12) { _ in } }
            }
        },
        Misuse(
            42,
            "a transaction is wanted again after it was released early",
            says: """
                request 7: "transaction", used at Shop/Routes.swift:12: it was released early, and what `around` \
                gives cannot be acquired a second time in a request. Release it at its point, or let a child \
                store own it. [releasedEarly]
                """
        ) {
            let transaction = onConnection()
            return try await withRequestStore(id: "7") { _ in
                _ = try await transaction.get()
                try await transaction.release(.commit)
                return await words { try await transaction.get(fileID: routes, line: 12) }
            }
        },
        Misuse(
            43,
            "the failure of a commit is swallowed",
            says: """
                request 7: it succeeded, and its releases did not, so that what it did may be undone, wholly or \
                in part: "transaction", acquired at Shop/Routes.swift:12: TestError(name: "serialization")
                """
        ) {
            let transaction = RequestResource("transaction", released: .beforeResponse) {
                1
            } release: { _, _ in
                throw TestError("serialization")
            }
            return await words {
                try await withRequestStore(id: "7") { _ in
                    _ = try await transaction.get(fileID: routes, line: 12)
                    try? await transaction.release(.commit)
                }
            }
        },
    ]
}
