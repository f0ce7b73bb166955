#if Inspector
import Foundation
import Testing

/// A page in a browser without a window.
struct Browser: Sendable {
    private let driver: WebDriver

    /// Runs a browser for as long as `body` runs.
    static func with<Result: Sendable>(_ body: @Sendable (Browser) async throws -> Result) async throws -> Result {
        let chromedriver = try await Chromedriver.start()
        do {
            let driver = try await WebDriver(chromedriver)
            let result = try await body(Browser(driver: driver))
            try await driver.end()
            await chromedriver.stop()
            return result
        } catch {
            await chromedriver.stop()
            throw error
        }
    }

    func open(_ url: String) async throws { let _: WebDriver.Empty? = try await driver.post("url", ["url": url]) }

    // MARK: Reading

    /// What a script returns.
    func run<Value: Decodable & Sendable>(_ script: String, _ arguments: String...) async throws -> Value {
        try await driver.post("execute/sync", Script(script: script, args: arguments))
    }

    /// The text of an element as it is shown; empty where there is none.
    func text(_ selector: String) async throws -> String {
        try await run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)
    }

    /// What a link leads to, as the page gets it.
    func follow<Content: Decodable & Sendable>(_ link: String) async throws -> Content {
        let text: String = try await run(
            "return fetch(document.querySelector(arguments[0]).href).then((response) => response.text())",
            link
        )
        return try JSONDecoder().decode(Content.self, from: Data(text.utf8))
    }

    func count(_ selector: String) async throws -> Int {
        try await run("return document.querySelectorAll(arguments[0]).length", selector)
    }

    /// Polls until an expression in the page is true.
    ///
    /// - Returns: Whether it was, within a generous time.
    @discardableResult
    func wait(
        until expression: String,
        _ arguments: String...,
        within limit: Duration = .seconds(40),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            let isTrue: Bool = try await driver.post(
                "execute/sync",
                Script(script: "return Boolean(\(expression))", args: arguments)
            )
            if isTrue { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        let shown = try await text("body")
        Issue.record("not within \(limit): \(expression) \(arguments)\n\(shown)", sourceLocation: sourceLocation)
        return false
    }

    /// Polls until an element shows a text.
    @discardableResult
    func wait(
        for text: String,
        in selector: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Bool {
        try await wait(
            until: "[...document.querySelectorAll(arguments[0])].some((each) => each.innerText.includes(arguments[1]))",
            selector,
            text,
            sourceLocation: sourceLocation
        )
    }

    /// What the page wrote to the console since the last time: errors and violations of its policy are among it.
    func console() async throws -> [String] {
        let entries: [LogEntry] = try await driver.post("se/log", ["type": "browser"])
        return entries.map { "\($0.level): \($0.message)" }
    }

    // MARK: Acting

    func click(_ selector: String) async throws {
        let element: [String: String] = try await driver.post("element", ["using": "css selector", "value": selector])
        let id = try #require(element.values.first)
        let _: WebDriver.Empty? = try await driver.post("element/\(id)/click", WebDriver.Empty())
    }

    /// Presses keys one after the other, wherever the focus is.
    func press(_ keys: String...) async throws {
        let strokes = keys.flatMap { key in
            [Actions.Stroke(type: "keyDown", value: key), Actions.Stroke(type: "keyUp", value: key)]
        }
        let _: WebDriver.Empty? = try await driver.post("actions", Actions(actions: [.init(actions: strokes)]))
    }

    func resize(width: Int, height: Int) async throws {
        let _: WebDriver.Empty? = try await chromium(
            "Emulation.setDeviceMetricsOverride",
            Metrics(width: width, height: height)
        )
    }

    /// Chooses light or dark.
    func prefer(colorScheme: String) async throws {
        let _: WebDriver.Empty? = try await chromium(
            "Emulation.setEmulatedMedia",
            ["features": [["name": "prefers-color-scheme", "value": colorScheme]]]
        )
    }

    /// A picture of the window, as PNG.
    func screenshot() async throws -> Data {
        let text: String = try await driver.get("screenshot")
        return try #require(Data(base64Encoded: text))
    }

    private func chromium<Value: Decodable & Sendable>(
        _ command: String,
        _ parameters: some Encodable & Sendable
    ) async throws -> Value {
        try await driver.post("goog/cdp/execute", Command(cmd: command, params: parameters))
    }
}

/// Keys that have no character.
enum Key {
    static let enter = "\u{E007}"
    static let escape = "\u{E00C}"
    static let down = "\u{E015}"
    static let up = "\u{E013}"
    static let end = "\u{E010}"
    static let home = "\u{E011}"
}

private struct Script: Encodable {
    let script: String
    let args: [String]
}

private struct LogEntry: Decodable {
    let level: String
    let message: String
}

private struct Metrics: Encodable {
    let width: Int
    let height: Int
    let deviceScaleFactor = 1
    let mobile = false
}

private struct Command<Parameters: Encodable & Sendable>: Encodable, Sendable {
    let cmd: String
    let params: Parameters
}

private struct Actions: Encodable {
    struct Stroke: Encodable {
        let type: String
        let value: String
    }

    struct Keyboard: Encodable {
        let type = "key"
        let id = "keyboard"
        let actions: [Stroke]
    }

    let actions: [Keyboard]
}
#endif
