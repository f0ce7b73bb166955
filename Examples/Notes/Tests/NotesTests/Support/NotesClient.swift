import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOPosix

/// A plain HTTP client: one connection for each request, and the body as it arrives.
struct NotesClient: Sendable {
    let port: Int

    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        tenant: String? = nil,
        contentType: String? = nil,
        body: String? = nil
    ) async throws -> Reply {
        try await open(method, path, tenant: tenant, contentType: contentType, body: body) { head, body in
            try await Reply(status: head.status.code, headers: head.headerFields, body: body.rest())
        }
    }

    func get(_ path: String, tenant: String? = nil) async throws -> Reply {
        try await send(.get, path, tenant: tenant)
    }

    func post(_ path: String, tenant: String? = nil, json: [String: String]) async throws -> Reply {
        let body = try String(decoding: JSONEncoder().encode(json), as: UTF8.self)
        return try await send(.post, path, tenant: tenant, contentType: "application/json", body: body)
    }

    func post(_ path: String, form: String) async throws -> Reply {
        try await send(.post, path, contentType: "application/x-www-form-urlencoded", body: form)
    }

    /// Sends a request and hands over the response when its head is there.
    ///
    /// The connection closes when `read` returns.
    func open<Result>(
        _ method: HTTPRequest.Method,
        _ path: String,
        tenant: String? = nil,
        contentType: String? = nil,
        body: String? = nil,
        _ read: (HTTPResponse, inout BodyReader) async throws -> Result
    ) async throws -> Result {
        var head = HTTPRequest(method: method, scheme: "http", authority: "127.0.0.1:\(port)", path: path)
        head.headerFields[.tenantName] = tenant
        head.headerFields[.contentType] = contentType
        head.headerFields[.contentLength] = body.map { String($0.utf8.count) }
        return try await connect().executeThenClose { inbound, outbound in
            try await outbound.write(.head(head))
            if let body { try await outbound.write(.body(ByteBuffer(string: body))) }
            try await outbound.write(.end(nil))
            var parts = inbound.makeAsyncIterator()
            guard case .head(let response) = try await parts.next(isolation: #isolation) else { throw NoResponse() }
            var reader = BodyReader(parts: parts)
            return try await read(response, &reader)
        }
    }

    struct NoResponse: Error {}

    private func connect() async throws -> NIOAsyncChannel<HTTPResponsePart, HTTPRequestPart> {
        try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connect(host: "127.0.0.1", port: port) {
            channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                try channel.pipeline.syncOperations.addHandler(HTTP1ToHTTPClientCodec())
                return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
            }
        }
    }
}

extension HTTPField.Name {
    static let tenantName = Self("X-Tenant")!
}
