import PerRequest

extension Misuse {
    /// A value that has to go on being used for longer than its release may wait.
    private static let impatient = ResourceLimits(release: .milliseconds(20))

    static let ofUses = [
        Misuse(
            26,
            "a child task that nobody awaits uses a resource",
            says: """
                request 7: a release failed: "connection", acquired at Shop/Routes.swift:12: a body of `use`, or \
                a child store's resource that is built on it, still had it 0.02 seconds after the release was \
                due; it is released when that has ended. Await every task that uses it. [useOverran] \
                [releaseFailed]
                """
        ) {
            let connection = resource(limits: impatient)
            let end = Signal()
            let reports = await serve { store in
                Task.immediate {
                    try await connection.use(in: store, fileID: routes, line: 12) { _ in await end.wait() }
                }
            }
            end.fire()
            return reports.joined()
        },
        Misuse(
            27,
            "a body asks for the turn that it has",
            says: """
                request 7: "client", used at Shop/Routes.swift:12: it is in use by "client". Inside a body of \
                `use` or `useExclusively`, use the value that the body has, and release it after the body; what \
                a factory or a child store is using cannot be released until that has ended. [inUse]
                """
        ) {
            let client = resource("client")
            return try await withRequestStore(id: "7") { _ in
                try await client.useExclusively { _ in
                    await words { try await client.useExclusively(fileID: routes, line: 12) { _ in } }
                }
            }
        },
        Misuse(
            28,
            "a body releases what it uses",
            says: """
                request 7: "connection", used at Shop/Routes.swift:12: it is in use by "connection". Inside a \
                body of `use` or `useExclusively`, use the value that the body has, and release it after the \
                body; what a factory or a child store is using cannot be released until that has ended. [inUse]
                """
        ) {
            let connection = resource()
            return try await withRequestStore(id: "7") { _ in
                try await connection.use { _ in
                    await words { try await connection.release(.commit, fileID: routes, line: 12) }
                }
            }
        },
        Misuse(
            29,
            "two bodies have their turns in the opposite order",
            says: """
                request 7: "cart", used at Shop/Routes.swift:12: waiting for it would never end: "stock" waits \
                for "cart" waits for "stock". Use several resources in the same order everywhere. A task that \
                was started in a body counts as inside of it until that has ended: start it outside if it may \
                wait for the body. [deadlock]
                """
        ) {
            let (cart, stock) = (resource("cart"), resource("stock"))
            return try await withRequestStore(id: "7") { _ in
                let (hasCart, hasStock) = (Signal(), Signal())
                async let first = words {
                    try await cart.useExclusively { _ in
                        hasCart.fire()
                        await hasStock.wait()
                        try await stock.useExclusively(fileID: routes, line: 12) { _ in }
                    }
                }
                let second = await words {
                    try await stock.useExclusively { _ in
                        await hasCart.wait()
                        hasStock.fire()
                        try await cart.useExclusively(fileID: routes, line: 12) { _ in }
                    }
                }
                let refused = await [first, second].filter { $0 != "nothing was thrown" }.joined()
                guard refused.contains("\"stock\", used") else { return refused }
                // It was the other one: chance decides.
                return refused.replacing("cart", with: "-").replacing("stock", with: "cart").replacing(
                    "-",
                    with: "stock"
                )
            }
        },
        Misuse(
            30,
            "what a factory is using is released early",
            says: """
                request 7: "connection", used at Shop/Routes.swift:12: it is in use by "report". Inside a body \
                of `use` or `useExclusively`, use the value that the body has, and release it after the body; \
                what a factory or a child store is using cannot be released until that has ended. [inUse]
                """
        ) {
            let connection = resource()
            let end = Signal()
            let report = RequestResource("report") {
                _ = try await connection.get()
                await end.wait()
            } release: { _, _ in
            }
            return try await withRequestStore(id: "7") { _ in
                let waiting = Task.immediate { try await report.get() }
                let words = await words { try await connection.release(.commit, fileID: routes, line: 12) }
                end.fire()
                try await waiting.value
                return words
            }
        },
        Misuse(
            31,
            "a connection is held while a client reads slowly",
            says: """
                request 7: "connection", acquired at Shop/Routes.swift:12, is still held after 0.02 seconds. \
                Release it early where a response is long, or raise the `hold` limit of its `ResourceLimits`. \
                [heldTooLong]
                """
        ) {
            let connection = resource(limits: .init(hold: .milliseconds(20)))
            let reports = Reports()
            let scope = StoreScope(id: "7", report: reports.take)
            _ = try await connection.get(in: scope.store, fileID: routes, line: 12)
            await reports.first.wait()
            await scope.close()
            return reports.all.map { "\($0)" }.joined()
        },
        Misuse(
            32,
            "a release hangs",
            says: """
                request 7: a release failed: "connection", acquired at Shop/Routes.swift:12: its release did not \
                end within 0.02 seconds and was cancelled; whether it took effect is unknown. Make it faster, or \
                raise the `release` limit of its `ResourceLimits`. [releaseTimedOut] [releaseFailed]
                """
        ) {
            let hanging = RequestResource("connection", limits: impatient) {
                1
            } release: { _, _ in
                try await hang()
            }
            // What it throws once it was cancelled is reported as well.
            return await serve { _ in _ = try await hanging.get(fileID: routes, line: 12) }.first ?? "-"
        },
        Misuse(
            33,
            "the releases take too long together",
            says: """
                request 7: the releases after the response did not end within 0.02 seconds and go on without the \
                request: "connection". Make them faster, or raise `RequestLimits`. [pointOverran]
                """
        ) {
            let hanging = RequestResource("connection") {
                1
            } release: { _, _ in
                try await hang()
            }
            let limits = RequestLimits(afterResponse: .milliseconds(20))
            return await serve(limits: limits) { _ in _ = try await hanging.get(fileID: routes, line: 12) }
                .joined(separator: "\n")
        },
        Misuse(
            34,
            "the releases before the response take too long together",
            says: """
                request 7: it succeeded, and its releases did not, so that what it did may be undone, wholly or \
                in part: "transaction", acquired at Shop/Routes.swift:12: it was not released within the 0.02 \
                seconds that the request has for all releases before the response. Make the releases faster, or \
                raise `RequestLimits`. [pointTimedOut]
                """
        ) {
            let hanging = RequestResource("transaction", released: .beforeResponse) {
                1
            } release: { _, _ in
                try await hang()
            }
            let scope = StoreScope(id: "7", limits: .init(beforeResponse: .milliseconds(20)), report: { _ in })
            _ = try await hanging.get(in: scope.store, fileID: routes, line: 12)
            let failure = await scope.settle(status: .http(200)).failure
            await scope.close()
            return failure.map { "\($0)" } ?? "-"
        },
    ]
}
