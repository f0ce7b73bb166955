import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import PerRequest

// snippet DatabaseAndOtherClients.md: AsyncHTTPClient

enum Current {
    static let tenant = RequestLocal<Tenant?>("tenant")

    // snippet DatabaseAndOtherClients.md: AsyncHTTPClient (2)

    // snippet DatabaseAndOtherClients.md: AsyncHTTPClient (3)
}

let base = "http://127.0.0.1:1"

struct UpstreamFailed: Error {
    let status: HTTPResponseStatus
}

struct Tenant: Sendable {
    func clientConfiguration() throws -> HTTPClient.Configuration { HTTPClient.Configuration() }
}
