import Hummingbird
import HummingbirdTesting
import Testing

@testable import App

@Test(
    "The README's application serves a request, and keeps nothing of one that is answered with 409",
    .timeLimit(.minutes(5))
)
func firstRequest() async throws {
    try await application().test(.live) { client in
        for (text, status) in [("milk", HTTPResponse.Status.created), ("", .conflict)] {
            try await client.execute(
                uri: "/notes",
                method: .post,
                headers: [.authorization: "alice"],
                body: ByteBuffer(string: text)
            ) { response in
                #expect(response.status == status)
            }
        }
    }
    #expect(pool.connection.notes.map(\.text) == ["milk"])
}
