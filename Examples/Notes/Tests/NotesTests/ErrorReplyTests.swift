import HTTPTypes
import Hummingbird
import NIOHTTP1
import Testing

@testable import NotesApp

@Suite
struct ErrorReplyTests {
    private struct Secret: Error, CustomStringConvertible {
        let description = "password=1234"
    }

    @Test("An error that nobody foresaw gives 500 and says nothing about itself")
    func unforeseen() {
        let reply = ErrorReply(Secret())
        #expect(reply.status == .internalServerError)
        #expect(reply.message == "Internal Server Error")
    }

    @Test("An error made for the client keeps status, message and headers")
    func meantForClient() {
        let reply = ErrorReply(HTTPError(.conflict, headers: [.retryAfter: "7"], message: "Not now"))
        #expect(reply.status == .conflict)
        #expect(reply.message == "Not now")
        #expect(reply.response.headers[.retryAfter] == "7")
    }

    @Test("A request that is not valid HTTP is the client's mistake")
    func malformedRequest() {
        #expect(ErrorReply(HTTPParserError.invalidChunkSize).status == .badRequest)
    }
}
