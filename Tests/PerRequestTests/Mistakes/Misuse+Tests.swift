import PerRequest
import PerRequestTesting

extension Misuse {
    private static let user = RequestLocal<String?>("user")

    static let ofTests = [
        Misuse(
            51,
            "overrides are put inside of a server that runs already",
            says: """
                no store was opened under the overrides at ShopTests/CartTests.swift:8, so that they replaced \
                nothing. They do not reach a server that runs already, such as that of `app.test(.live) { … }` \
                inside of its closure, nor a store that is open, nor its children: put them around what starts \
                the server or opens the store
                """
        ) {
            let (requests, send) = AsyncStream.makeStream(of: CheckedContinuation<Void, Never>.self)
            let server = Task {
                for await request in requests {
                    await serve { _ in }
                    request.resume()
                }
            }
            let words = await words {
                try await withRequestOverrides(
                    [.value(of: user, "alice")],
                    fileID: "ShopTests/CartTests.swift",
                    line: 8
                ) {
                    await withCheckedContinuation { _ = send.yield($0) }
                }
            }
            send.finish()
            await server.value
            return words
        },
        Misuse(
            52,
            "overrides are put inside of a store that is open",
            says: """
                no store was opened under the overrides at ShopTests/CartTests.swift:8, so that they replaced \
                nothing. They do not reach a server that runs already, such as that of `app.test(.live) { … }` \
                inside of its closure, nor a store that is open, nor its children: put them around what starts \
                the server or opens the store
                """
        ) {
            try await withRequestStore(id: "7") { _ in
                await words {
                    try await withRequestOverrides(
                        [.value(of: user, "alice")],
                        fileID: "ShopTests/CartTests.swift",
                        line: 8
                    ) { _ = user.value }
                }
            }
        },
    ]
}
