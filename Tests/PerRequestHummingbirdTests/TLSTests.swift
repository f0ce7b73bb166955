#if Hummingbird
import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import HummingbirdTLS
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import PerRequest
import PerRequestHummingbird
import ServiceLifecycle
import Synchronization
import Testing
import PerRequestTestSupport

private let name = RequestLocal<String?>("name")

@Suite("TLS and HTTP/2, with the scopes opened by `.channel`", .timeLimit(.minutes(3)))
struct TLSTests {
    enum Kind: String, Sendable, CaseIterable {
        case tls
        case http2

        func server(_ observer: any RequestObserver, _ tls: TLSConfiguration) -> RequestStoreServer {
            switch self {
            case .tls:
                .channel(observers: [observer]) { responder in
                    try TLSChannel(HTTP1Channel(responder: responder), tlsConfiguration: tls)
                }
            case .http2:
                .channel(observers: [observer]) { responder in
                    try HTTP2UpgradeChannel(tlsConfiguration: tls, responder: responder)
                }
            }
        }
    }

    /// Runs a server with a certificate made for it, and a client that trusts everybody.
    private func withServer(
        _ kind: Kind,
        _ router: RequestStoreRouter<TestContext>,
        _ observer: any RequestObserver,
        _ body: (HTTPClient, Int, ServiceGroup) async throws -> Void
    ) async throws {
        let (certificate, key) = try await Self.certificate()
        let tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(certificate)],
            privateKey: .privateKey(key)
        )
        let (ports, continuation) = AsyncThrowingStream<Int, any Error>.makeStream()
        let app = Application(
            router: router,
            requestStore: kind.server(observer, tls),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        var configuration = HTTPClient.Configuration(certificateVerification: .none)
        configuration.timeout.connect = .minutes(2)
        configuration.httpVersion = kind == .http2 ? .automatic : .http1Only
        let client = HTTPClient(configuration: configuration)
        do {
            try await withRunning(app, ports, continuation) { port, group in try await body(client, port, group) }
        } catch {
            try? await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    private static func certificate() async throws -> (NIOSSLCertificate, NIOSSLPrivateKey) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.currentDirectoryURL = folder
        process.arguments =
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
            + ["-keyout", "key.pem", "-out", "certificate.pem", "-days", "1", "-subj", "/CN=localhost"]
        process.standardError = FileHandle.nullDevice
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        return try (
            NIOSSLCertificate.fromPEMFile(folder.appending(path: "certificate.pem").path)[0],
            NIOSSLPrivateKey(file: folder.appending(path: "key.pem").path, format: .pem)
        )
    }

    private func get(_ path: String, _ client: HTTPClient, _ port: Int) async throws -> (HTTPClientResponse, String) {
        let request = HTTPClientRequest(url: "https://127.0.0.1:\(port)\(path)")
        let response = try await client.execute(request, timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 1 << 20)
        return (response, String(buffer: body))
    }

    @Test(
        "Rules 3, 6: 100 requests at once, many on one connection, each have a store of their own, in the body too",
        arguments: Kind.allCases
    )
    func concurrency(kind: Kind) async throws {
        let watch = Watch()
        let resource = RequestResource("resource") {
            name.value ?? "-"
        } release: { value, _ in
            #expect(value == name.value)
        }
        let router = makeRouter()
        router.get(":name") { _, context in
            try name.set(context.parameters.get("name"))
            let acquired = try await resource.get()
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    for _ in 1...3 {
                        await Task.yield()
                        try await writer.write(ByteBuffer(string: "\(acquired) \(name.value ?? "-")\n"))
                    }
                    try await writer.finish(nil)
                }
            )
        }
        try await withServer(kind, router, watch) { client, port, _ in
            try await withThrowingTaskGroup { group in
                for number in 1...100 {
                    group.addTask {
                        let (response, body) = try await get("/n\(number)", client, port)
                        #expect(response.version == (kind == .http2 ? .http2 : .http1_1))
                        #expect(body == String(repeating: "n\(number) n\(number)\n", count: 3))
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(watch.counts == .init(opened: 100, closed: 100, acquired: 100, released: 100))
    }

    @Test("Rule 16: a commit that fails gives a 500 and never a 200", arguments: Kind.allCases)
    func failingCommit(kind: Kind) async throws {
        struct CommitFailed: Error {}
        let watch = Watch()
        let commit = RequestResource("commit", released: .beforeResponse) {
            1
        } release: { _, _ in
            throw CommitFailed()
        }
        let router = makeRouter()
        router.get("commit") { _, _ in
            _ = try await commit.get()
            return "done"
        }
        try await withServer(kind, router, watch) { client, port, _ in
            let (response, body) = try await get("/commit", client, port)
            #expect(response.status == .internalServerError)
            #expect(body.isEmpty)
        }
        let outcome = try #require(await watch.nextOutcome())
        #expect(outcome.verdict == .rollback && outcome.status == .http(500))
    }

    @Test(
        "Rules 1, 19: a client that leaves in the middle of a body ends the request; what it held is released",
        arguments: Kind.allCases
    )
    func clientLeaves(kind: Kind) async throws {
        let watch = Watch()
        let resource = RequestResource("resource") {
            1
        } release: { _, _ in
        }
        let router = makeRouter()
        router.get("endless") { _, _ in
            _ = try await resource.get()
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    while true { try await writer.write(ByteBuffer(repeating: UInt8(ascii: "x"), count: 10_000)) }
                }
            )
        }
        try await withServer(kind, router, watch) { client, port, _ in
            for _ in 1...5 {
                let response = try await client.execute(
                    HTTPClientRequest(url: "https://127.0.0.1:\(port)/endless"),
                    timeout: .seconds(30)
                )
                for try await _ in response.body { break }
                let outcome = try #require(await watch.nextOutcome())
                #expect(outcome.verdict == .commit)
                #expect(outcome.ending.name == "clientDisconnected")
            }
        }
        #expect(watch.counts == .init(opened: 5, closed: 5, acquired: 5, released: 5))
    }

    @Test(
        "Rule 19: a client that leaves is told from an error, where Hummingbird ends a body or an upload breaks off",
        arguments: Kind.allCases,
        ["body", "collect"]
    )
    func clientLeavesWhileServerReads(kind: Kind, path: String) async throws {
        let watch = Watch()
        let router = makeRouter()
        router.post("body") { request, _ in
            Response(
                status: .ok,
                body: ResponseBody { writer in
                    // The writer goes to the operation and nowhere else.
                    nonisolated(unsafe) var writer = writer
                    try await request.body.consumeWithCancellationOnInboundClose { _ in
                        try await writer.write(ByteBuffer(string: "part;"))
                        watch.handlerIsAtWork()
                        try await Task.sleep(for: .seconds(3_600))
                    }
                    try await writer.finish(nil)
                }
            )
        }
        router.post("collect") { request, _ in
            watch.handlerIsAtWork()
            return try await request.body.collect(upTo: 1_000)
        }
        try await withServer(kind, router, watch) { client, port, _ in
            let (pieces, next) = AsyncStream<ByteBuffer>.makeStream()
            next.yield(ByteBuffer(string: "12345"))
            let call = Task {
                var request = HTTPClientRequest(url: "https://127.0.0.1:\(port)/\(path)")
                request.method = .POST
                request.body = .stream(pieces, length: .unknown)
                let response = try await client.execute(request, timeout: .minutes(2))
                for try await _ in response.body {}
            }
            await watch.untilHandlerIsAtWork()
            call.cancel()
            let outcome = try #require(await watch.nextOutcome())
            #expect(outcome.ending.name == "clientDisconnected", "\(outcome)")
            #expect(outcome.verdict == (path == "body" ? .commit : .rollback))
            _ = try? await call.value
        }
        #expect(watch.counts == .init(opened: 1, closed: 1))
    }

    @Test(
        "A request's body streams in while the response streams out, with the store current",
        arguments: Kind.allCases
    )
    func bothWays(kind: Kind) async throws {
        let watch = Watch()
        let router = makeRouter()
        router.post("echo") { request, _ in
            try name.set("echo")
            return Response(
                status: .ok,
                body: ResponseBody { writer in
                    for try await piece in request.body {
                        try await writer.write(ByteBuffer(string: "\(name.value ?? "-"):\(String(buffer: piece)) "))
                    }
                    try await writer.finish(nil)
                }
            )
        }
        try await withServer(kind, router, watch) { client, port, _ in
            let (pieces, next) = AsyncStream<ByteBuffer>.makeStream()
            var request = HTTPClientRequest(url: "https://127.0.0.1:\(port)/echo")
            request.method = .POST
            request.body = .stream(pieces, length: .unknown)
            next.yield(ByteBuffer(string: "0"))
            let response = try await client.execute(request, timeout: .seconds(30))
            var number = 0
            // Each piece is sent when the answer to the one before it has come.
            for try await answer in response.body {
                #expect(String(buffer: answer) == "echo:\(number) ")
                number += 1
                if number < 5 { next.yield(ByteBuffer(string: "\(number)")) } else { next.finish() }
            }
            #expect(number == 5)
        }
        #expect(watch.counts.closed == 1)
    }

    @Test(
        "Rule 1: a server that stops gracefully in the middle of a stream lets it end, and closes its store",
        arguments: Kind.allCases
    )
    func gracefulShutdown(kind: Kind) async throws {
        let watch = Watch()
        let router = makeRouter()
        router.get("events") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "text/event-stream"],
                body: ResponseBody { writer in
                    try await writer.write(ByteBuffer(string: "data: first\n\n"))
                    try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(60)) }
                    try await writer.write(ByteBuffer(string: "data: last\n\n"))
                    try await writer.finish(nil)
                }
            )
        }
        try await withServer(kind, router, watch) { client, port, group in
            let response = try await client.execute(
                HTTPClientRequest(url: "https://127.0.0.1:\(port)/events"),
                timeout: .seconds(30)
            )
            var text = ""
            do {
                for try await piece in response.body {
                    if text.isEmpty { await group.triggerGracefulShutdown() }
                    text += String(buffer: piece)
                }
                #expect(text == "data: first\n\ndata: last\n\n")
            } catch let error as HTTPClientError where error == .remoteConnectionClosed && kind == .http2 {
                // Seen in one run of three beside all other tests: once the last stream has ended, Hummingbird closes an
                // HTTP/2 connection, sometimes before the client has its end.
                #expect(text.hasPrefix("data: first\n\n"))
            }
        }
        let outcome = try #require(await watch.nextOutcome())
        let endings = kind == .http2 ? ["completed", "clientDisconnected"] : ["completed"]
        #expect(endings.contains(outcome.ending.name))
    }
}
#endif
