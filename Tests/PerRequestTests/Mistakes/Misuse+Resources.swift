import Foundation
import PerRequest

extension Misuse {
    private static let connection = resource()

    static let ofResources = [
        Misuse(
            13,
            "a resource is acquired outside of any request",
            says: """
                "connection", used at Shop/Routes.swift:12: no request is being served here. Serve it through a \
                PerRequest adapter, wrap the work in `withRequestStore { }`, or, in a callback, carry the \
                request with a `RequestSnapshot`. In a test, use `withTestRequestStore { }` or the trait \
                `.requestStore` of PerRequestTesting. [outsideRequest]
                """
        ) {
            await words { try await connection.get(fileID: routes, line: 12) }
        },
        Misuse(
            14,
            "a resource is acquired in a store that was made outside of any request",
            says: """
                "connection", used at Shop/Routes.swift:12: this store was made outside a request: it holds \
                values, and nobody would ever release what it acquires. Wrap the work in `withRequestStore { }`. \
                [privateStore]
                """
        ) {
            await words { try await connection.get(in: requestStore(), fileID: routes, line: 12) }
        },
        Misuse(
            15,
            "a resource is acquired by a task that has outlived its request",
            says: """
                request 7: "connection", used at Shop/Routes.swift:12: the request is over and its store is \
                closed. A task that outlives the request has to copy what it needs before it starts. \
                [requestEnded]
                """
        ) {
            let over = Signal()
            let task = try await withRequestStore(id: "7") { _ in
                Task {
                    await over.wait()
                    return await words { try await connection.use(fileID: routes, line: 12) { $0 } }
                }
            }
            over.fire()
            return await task.value
        },
        Misuse(
            16,
            "a streamed body uses what is released before the response",
            says: """
                request 7: "transaction", used at Shop/Routes.swift:12: it is released before the response and \
                the response is settled: acquire it in the handler, or declare it with `released: \
                .afterResponse`. [releasePointBegan]
                """
        ) {
            let transaction = resource("transaction", released: .beforeResponse)
            let scope = StoreScope(id: "7")
            await scope.settle(status: .http(200))
            let words = await words { try await transaction.get(in: scope.store, fileID: routes, line: 12) }
            await scope.close()
            return words
        },
        Misuse(
            17,
            "a release acquires another resource",
            says: """
                request 7: "connection", used at Shop/Current.swift:12: the request is being closed and nothing \
                can be acquired any more: acquire it before the response ends. [releasePointBegan]
                """
        ) {
            let heard = Journal()
            let audit = RequestResource("audit") {
                1
            } release: { _, _ in
                heard.note(await words { try await connection.get(fileID: keys, line: 12) })
            }
            try await withRequestStore(id: "7") { _ in _ = try await audit.get() }
            return heard.entries.joined()
        },
        Misuse(
            18,
            "a resource is used after it was given back",
            says: """
                request 7: "connection", used at Shop/Routes.swift:12: it has been released already: read it \
                before its release starts, or hold on to what it gave you. [released]
                """
        ) {
            try await withRequestStore(id: "7") { _ in
                let mayEnd = Signal()
                let slow = RequestResource("connection") {
                    1
                } release: { _, _ in
                    await mayEnd.wait()
                }
                _ = try await slow.get()
                let release = Task.immediate { try await slow.release(.commit) }
                let words = await words { try await slow.get(fileID: routes, line: 12) }
                mayEnd.fire()
                try await release.value
                return words
            }
        },
        Misuse(
            19,
            "resources need each other",
            says: """
                request 7: "cart", used at Shop/Current.swift:7: it depends on itself: "price" needs "cart" \
                needs "price". Let one of them have what it needs as a parameter, or read it before. [cycle]
                """
        ) {
            enum Keys {
                static let cart: RequestResource<Int> = RequestResource("cart") {
                    try await price.get(fileID: keys, line: 3)
                } release: { _, _ in
                }
                static let price: RequestResource<Int> = RequestResource("price") {
                    try await cart.get(fileID: keys, line: 7)
                } release: { _, _ in
                }
            }
            return try await withRequestStore(id: "7") { _ in
                await words { try await Keys.cart.get(fileID: routes, line: 12) }
            }
        },
        Misuse(
            20,
            "a resource would outlive what it is built on",
            says: """
                request 7: "transaction", used at Shop/Current.swift:3: it is released before "outbox", inside \
                whose factory it was asked for and which would go on using it. Let "outbox" end at the same \
                point (a resource with `released:`, a memo with `until: .beforeResponse`), or take what it needs \
                from something that lives as long. [captive]
                """
        ) {
            let transaction = resource("transaction", released: .beforeResponse)
            let outbox = RequestResource("outbox") {
                try await transaction.get(fileID: keys, line: 3)
            } release: { _, _ in
            }
            return try await withRequestStore(id: "7") { _ in await words { try await outbox.get() } }
        },
        Misuse(
            21,
            "a memo would outlive what it is built on",
            says: """
                request 7: "transaction", used at Shop/Current.swift:3: it is released before "userByID", inside \
                whose factory it was asked for and which would go on using it. Let "userByID" end at the same \
                point (a resource with `released:`, a memo with `until: .beforeResponse`), or take what it needs \
                from something that lives as long. [captive]
                """
        ) {
            let transaction = resource("transaction", released: .beforeResponse)
            let userByID = RequestMemo("userByID") { (_: Int) in try await transaction.get(fileID: keys, line: 3) }
            return try await withRequestStore(id: "7") { _ in await words { try await userByID(1) } }
        },
        Misuse(
            22,
            "a request takes two connections from a pool of one",
            says: """
                request 7: "second", used at Shop/Routes.swift:12: it could not be acquired within 0.02 seconds. \
                Look for an exhausted pool, such as one of which a request wants two at a time, or raise the \
                `acquire` limit of its `ResourceLimits`. [acquireTimedOut]
                """
        ) {
            let leased = Counter()
            func lease() -> RequestResource<Int> {
                RequestResource("second", limits: .init(acquire: .milliseconds(20))) {
                    if leased.next() > 1 { try await hang() }
                    return 1
                } release: { _, _ in
                }
            }
            let (first, second) = (lease(), lease())
            return try await withRequestStore(id: "7") { _ in
                _ = try await first.get()
                return await words { try await second.get(fileID: routes, line: 12) }
            }
        },
        Misuse(
            23,
            "a factory ignores its cancellation, and its resource is wanted again",
            says: """
                request 7: "connection", used at Shop/Routes.swift:12: the acquisition before this one was \
                cancelled and has not ended yet: its factory ignores that. Make it react to cancellation. \
                [stillEnding]
                """
        ) {
            let end = Signal()
            let deaf = RequestResource("connection", limits: .init(acquire: .milliseconds(20))) {
                await end.wait()
            } release: { _, _ in
            }
            return try await withRequestStore(id: "7") { _ in
                defer { end.fire() }
                _ = await words { try await deaf.get() }
                return await words { try await deaf.get(fileID: routes, line: 12) }
            }
        },
        Misuse(
            24,
            "a factory ignores its cancellation when the request ends",
            says: """
                request 7: "connection", acquired at Shop/Routes.swift:12: its factory did not end after it was \
                cancelled. Make it react to cancellation; what it still acquires is released when it arrives. \
                [flightOverran]
                """
        ) {
            let end = Signal()
            let deaf = RequestResource("connection", limits: .init(release: .milliseconds(20))) {
                await end.wait()
            } release: { _, _ in
            }
            let reports = await serve { store in
                Task.immediate { _ = try? await deaf.get(in: store, fileID: routes, line: 12) }
            }
            end.fire()
            return reports.joined()
        },
        Misuse(
            25,
            "a factory blocks its thread",
            says: """
                request 7: "connection", acquired at Shop/Routes.swift:12: its factory or release kept its \
                thread for 0.02 seconds, longer than its limit, and could not be cancelled. Await what takes \
                time instead of blocking. [blocked]
                """
        ) {
            let slow = RequestResource("connection", limits: .init(acquire: .milliseconds(1))) {
                let barrier = Barrier()
                let opener = Thread {
                    Thread.sleep(forTimeInterval: 0.02)
                    barrier.open()
                }
                opener.start()
                barrier.block()
            } release: { _, _ in
            }
            let reports = await serve { _ in _ = try? await slow.get(fileID: routes, line: 12) }
            return reports.joined().replacing(/for [0-9.e-]+ seconds/, with: "for 0.02 seconds")
        },
    ]
}
