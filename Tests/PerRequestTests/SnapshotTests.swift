import Dispatch
import PerRequest
import Testing

@Suite("Snapshots")
struct SnapshotTests {
    private static let user = RequestLocal<String?>("user")

    @Test("A snapshot makes the store current in a callback that has lost it")
    func callback() async throws {
        try await withRequestStore { _ in
            try Self.user.set("alice")
            let snapshot = RequestSnapshot()
            let seen: (String?, String?) = await withCheckedContinuation { continuation in
                DispatchQueue.global().async {
                    let without = Self.user.value
                    let with = snapshot.run { Self.user.value }
                    continuation.resume(returning: (without, with))
                }
            }
            #expect(seen == (nil, "alice"))
        }
    }

    @Test("`wrap` in its four shapes, with any number of arguments")
    func wrap() async throws {
        try await withRequestStore { _ in
            try Self.user.set("alice")
            let snapshot = RequestSnapshot()
            let plain = snapshot.wrap { (number: Int) in "\(Self.user.value ?? "-") \(number)" }
            let throwing = snapshot.wrap { (number: Int, text: String) throws in
                try "\(Self.user.require()) \(number) \(text)"
            }
            let asynchronous = snapshot.wrap { () async in
                await Task.yield()
                return Self.user.value
            }
            let both = snapshot.wrap { (number: Int) async throws in
                await Task.yield()
                return try "\(Self.user.require()) \(number)"
            }
            try await Task.detached {
                #expect(RequestStore.current == nil)
                #expect(plain(1) == "alice 1")
                #expect(try throwing(2, "two") == "alice 2 two")
                #expect(await asynchronous() == "alice")
                let text = try await both(3)
                #expect(text == "alice 3")
            }.value
        }
    }

    @Test("Rule 5: a snapshot run after the request has the closed store, also inside another request")
    func afterwards() async throws {
        let snapshot = try await withRequestStore { _ in
            try Self.user.set("alice")
            return RequestSnapshot()
        }
        try await withRequestStore { _ in
            try Self.user.set("bob")
            snapshot.run {
                #expect(Self.user.value == nil)
                #expect(RequestStore.current?.isClosed == true)
            }
            await #expect(throws: RequestStoreError.self) {
                try await snapshot.run {
                    await Task.yield()
                    return try Self.user.require()
                }
            }
        }
    }

    @Test("A snapshot taken outside a request hides a store")
    func outside() async throws {
        let snapshot = RequestSnapshot()
        #expect(snapshot.store == nil)
        try await withRequestStore { store in
            snapshot.run { #expect(RequestStore.current == nil) }
            #expect(RequestSnapshot(store).store == store)
            try Task.checkCancellation()
        }
    }
}
