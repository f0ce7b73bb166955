#if Inspector
import AsyncHTTPClient
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTesting
import NIOCore
import NIOHTTP1
import PerRequest
import PerRequestHummingbird
import PerRequestTestSupport
import Testing

@testable import PerRequestInspector

@Suite("Who may see the inspector")
struct AccessTests {
    let router = RequestStoreRouter()

    @Test(
        "is nobody who came through a proxy, wherever that is",
        arguments: [
            ["X-Forwarded-For": "127.0.0.1"], ["x-forwarded-for": ""], ["Forwarded": "for=127.0.0.1"],
            ["Via": "1.1 proxy"],
            ["X-Real-IP": "127.0.0.1"], ["X-Forwarded-Host": "localhost"], ["X-Forwarded-Proto": "https"],
        ]
    )
    func proxies(_ headers: [String: String]) async throws {
        let inspector = RequestInspector()
        inspector.mount(on: router)
        try await withInspected(router, inspector) { port, _ in
            for path in RouteTests.paths.map(\.0) + ["/_requests", "/_requests/events"] {
                let response = try await get(path, on: port, headers: headers)
                #expect(response.status == 403)
                #expect(response.headers["content-type"] == "text/plain; charset=utf-8")
                #expect(response.headers["content-security-policy"] != nil)
                #expect(response.body.contains("through a proxy"))
            }
        }
        #expect(inspector.look().timelines.isEmpty)
    }

    @Test("is nobody whose request is for another host, which has led its pages here")
    func rebinding() async throws {
        let inspector = RequestInspector()
        inspector.mount(on: router)
        try await withInspected(router, inspector) { port, _ in
            for (host, status) in [
                ("localhost", 200), ("LocalHost:8080", 200), ("127.0.0.1:\(port)", 200), ("[::1]:1", 200),
                ("evil.example", 403), ("localhost.evil.example", 403), ("127.0.0.1.evil.example:80", 403),
                ("localhost:80@evil.example", 403), ("localhost:x", 403),
            ] {
                let answer = try await get("/_requests/snapshot", on: port, host: host)
                #expect(answer.status == status, "\(host)")
            }
        }
    }

    @Test("is decided by the connection's other end")
    func peers() throws {
        let request = Request(
            head: HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: "/_requests"),
            body: RequestBody(buffer: ByteBuffer())
        )
        func refusal(_ peer: SocketAddress?) -> String? { RequestInspector.Access.refusal(of: request, from: peer) }
        for address in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            #expect(try refusal(SocketAddress(ipAddress: address, port: 1)) == nil, "\(address)")
        }
        #expect(try refusal(SocketAddress(unixDomainSocketPath: "/tmp/socket")) == nil)
        for address in ["192.168.0.1", "10.0.0.127", "::ffff:10.0.0.1", "fe80::1", "::", "0.0.0.0", "1::1"] {
            #expect(try refusal(SocketAddress(ipAddress: address, port: 1))?.contains("this machine only") == true)
        }
        #expect(refusal(nil)?.contains("not known") == true)
    }

    @Test("is who comes by a socket of this machine")
    func unixDomainSocket() async throws {
        let inspector = RequestInspector()
        inspector.mount(on: router)
        let path = "/tmp/inspector-\(UInt64.random(in: 0 ... .max)).socket"
        try await withInspected(router, inspector, address: .unixDomainSocket(path: path)) { _, _ in
            let url = "http+unix://\(path.replacing("/", with: "%2F"))/_requests/snapshot"
            var request = HTTPClientRequest(url: url)
            request.headers = ["Host": "localhost"]
            let response = try await HTTPClient.shared.execute(request, timeout: .minutes(2))
            #expect(response.status == .ok)
            _ = try await response.body.collect(upTo: 1_000_000)
        }
    }

    @Test("is nobody where there is no connection")
    func noConnection() async throws {
        let inspector = RequestInspector()
        inspector.mount(on: router)
        let app = Application(router: router, requestStore: .http1(observers: [inspector]))
        try await app.test(.router) { client in
            try await client.execute(uri: "/_requests/snapshot", method: .get) { #expect($0.status == .forbidden) }
        }
        #expect(inspector.look().timelines.isEmpty)
    }

    @Test("is for the application's check to say, which is asked for every request, local ones too")
    func check() async throws {
        let inspector = RequestInspector(
            access: .check { request, _ in
                if request.headers[.authorization] == "broken" { throw HTTPError(.serviceUnavailable) }
                return request.headers[.authorization] == "secret"
            }
        )
        inspector.mount(on: router)
        try await withInspected(router, inspector) { port, _ in
            for path in RouteTests.paths.map(\.0) {
                let refused = try await get(path, on: port)
                let broken = try await get(path, on: port, headers: ["Authorization": "broken"])
                let headers = ["Authorization": "secret", "X-Forwarded-For": "1.2.3.4"]
                let allowed = try await get(path, on: port, headers: headers)
                let statuses: [Int] = [refused.status, broken.status, allowed.status]
                #expect(statuses == [403, 503, 200])
            }
        }
    }
}
#endif
