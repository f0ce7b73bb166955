#if Inspector
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

struct WebDriverError: Error, CustomStringConvertible {
    let message: String

    var description: String { message }
}

/// A session of the WebDriver protocol.
struct WebDriver: Sendable {
    private let address: String

    /// Opens a browser without a window.
    init(_ driver: Chromedriver) async throws {
        let root = "http://127.0.0.1:\(driver.port)"
        var arguments = ["--headless=new", "--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1280,800"]
        if geteuid() == 0 { arguments.append("--no-sandbox") }
        let session: Session = try await Self.send(
            "\(root)/session",
            Capabilities(
                capabilities: .init(
                    alwaysMatch: .init(options: .init(args: arguments, binary: Chromium.browser ?? ""))
                )
            )
        )
        address = "\(root)/session/\(session.sessionId)"
    }

    func post<Value: Decodable & Sendable>(_ path: String, _ body: some Encodable & Sendable) async throws -> Value {
        try await Self.send("\(address)/\(path)", body)
    }

    func get<Value: Decodable & Sendable>(_ path: String) async throws -> Value {
        try await Self.send("\(address)/\(path)", method: "GET", nil as Empty?)
    }

    func end() async throws { let _: Empty? = try await Self.send(address, method: "DELETE", nil as Empty?) }

    // MARK: Messages

    struct Empty: Codable, Sendable {}

    private struct Session: Decodable { let sessionId: String }

    private struct Answer<Value: Decodable>: Decodable { let value: Value }

    private struct Failure: Decodable {
        let error: String
        let message: String
    }

    private struct Capabilities: Encodable {
        struct Always: Encodable {
            struct Match: Encodable {
                struct Options: Encodable {
                    let args: [String]
                    let binary: String
                }

                let options: Options
                let log = ["browser": "ALL"]

                enum CodingKeys: String, CodingKey {
                    case options = "goog:chromeOptions"
                    case log = "goog:loggingPrefs"
                }
            }

            let alwaysMatch: Match
        }

        let capabilities: Always
    }

    private static func send<Value: Decodable & Sendable>(
        _ url: String,
        method: String = "POST",
        _ body: (some Encodable)?
    ) async throws -> Value {
        var request = HTTPClientRequest(url: url)
        request.method = .RAW(value: method)
        request.headers.add(name: "Content-Type", value: "application/json")
        if let body { request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(body))) }
        let response = try await HTTPClient.shared.execute(request, timeout: .minutes(1))
        let data = Data(try await response.body.collect(upTo: 1 << 26).readableBytesView)
        guard response.status == .ok else {
            let failure = try JSONDecoder().decode(Answer<Failure>.self, from: data).value
            throw WebDriverError(message: "\(failure.error): \(failure.message)")
        }
        return try JSONDecoder().decode(Answer<Value>.self, from: data).value
    }
}
#endif
