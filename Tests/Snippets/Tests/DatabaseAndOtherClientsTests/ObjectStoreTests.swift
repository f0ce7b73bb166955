import NIOCore
import PerRequest
import SotoS3
import Testing

@testable import DatabaseAndOtherClientsObjectStore

@Suite("The guide's upload", .timeLimit(.minutes(5)))
struct ObjectStoreTests {
    private struct Refused: Error {}

    private func requests(throwing error: (any Error)? = nil) async -> [String] {
        var client: AWSClient?
        try? await withRequestStore { _ in
            try Current.tenant.set(Tenant(name: "acme"))
            try Current.uploadKey.set("photo")
            client = try await Current.storage.get().client
            try await Current.upload.get().add(ByteBuffer(string: "…"))
            if let error { throw error }
        }
        return client?.requests.withLock { $0 } ?? []
    }

    @Test("It is completed before the rows are committed")
    func completed() async {
        #expect(await requests() == ["create acme/photo", "part 1", "complete", "commit rows", "shutdown"])
    }

    @Test("It is aborted where the request has failed")
    func aborted() async {
        #expect(
            await requests(throwing: Refused()) == [
                "create acme/photo", "part 1", "abort", "rollback rows", "shutdown",
            ]
        )
    }
}
