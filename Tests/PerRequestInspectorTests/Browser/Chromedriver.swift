#if Inspector
import AsyncHTTPClient
import Foundation
import NIOCore
import Synchronization
import Testing

/// Debian's chromium and chromedriver, or another pair on the `PATH`.
enum Chromium {
    static let driver = find(["chromedriver"])
    static let browser = find(["chromium", "chromium-browser", "google-chrome", "chrome"])

    /// Whether the tests run that need it: where it is missing they are skipped, unless the environment says that it is needed.
    static var isExpected: Bool {
        (driver != nil && browser != nil) || ProcessInfo.processInfo.environment["PERREQUEST_NEEDS_CHROMIUM"] != nil
    }

    private static func find(_ names: [String]) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return names.lazy.flatMap { name in folders.map { "\($0)/\(name)" } }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}

/// A running chromedriver, on a port that it chose itself.
final class Chromedriver: Sendable {
    let port: Int
    private let process: Mutex<Process>

    private init(port: Int, process: sending Process) {
        self.port = port
        self.process = Mutex(process)
    }

    static func start() async throws -> Chromedriver {
        let process = Process()
        process.executableURL = URL(filePath: try #require(Chromium.driver, "chromedriver is missing"))
        process.arguments = ["--port=0"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        let (chunks, continuation) = AsyncStream<String>.makeStream()
        output.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            guard !data.isEmpty else {
                handle.readabilityHandler = nil
                return continuation.finish()
            }
            continuation.yield(String(decoding: data, as: UTF8.self))
        }
        try process.run()
        // "ChromeDriver was started successfully on port 40123."
        var said = ""
        for await chunk in chunks {
            said += chunk
            guard let line = said.firstMatch(of: /started successfully on port (\d+)/) else { continue }
            return Chromedriver(port: try #require(Int(line.1)), process: process)
        }
        throw WebDriverError(message: "chromedriver did not start: \(said)")
    }

    /// Ends it, with the browsers that it started.
    func stop() async {
        let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/shutdown")
        _ = try? await HTTPClient.shared.execute(request, timeout: .seconds(10))
        process.withLock { process in
            // It has inherited a mask of the threads of Swift's tasks, on which other signals are blocked.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }
}
#endif
