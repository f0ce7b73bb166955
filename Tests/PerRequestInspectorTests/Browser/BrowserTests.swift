#if Inspector
import Testing

/// One after the other: each starts a browser, and two would take each other's time.
@Suite("The inspector in a browser", .serialized, .enabled(if: Chromium.isExpected), .timeLimit(.minutes(10)))
struct BrowserTests {}

/// Shows the page of a staged application in a browser, and expects nothing in its console in the end: no error, and no
/// violation of the page's policy.
func withPage(
    of app: StagedApplication = StagedApplication(),
    _ body: @Sendable (Browser, StagedClient) async throws -> Void
) async throws {
    try await app.run { staged in
        try await Browser.with { browser in
            try await browser.open(staged.page)
            try await browser.wait(until: "document.querySelector('#connection[data-state=live]')")
            try await body(browser, staged)
            #expect(try await browser.console() == [])
        }
    }
}

extension Browser {
    /// Waits until the list has a request with this title in this state, and shows it.
    func show(_ title: String, _ state: String = "open") async throws {
        let row =
            "[...document.querySelectorAll('.row[data-state=' + arguments[1] + ']')]"
            + ".find((row) => row.querySelector('.title').textContent === arguments[0])"
        try await wait(until: row, title, state)
        let _: WebDriver.Empty? = try await run("\(row)?.click()", title, state)
        try await wait(for: title, in: "#detail:not([hidden]) #detail-title")
    }

    /// The titles in the list, as far as it is in the window.
    func titles() async throws -> [String] {
        try await run(
            "return [...document.querySelectorAll('.row')].map((row) => row.querySelector('.title').textContent)"
        )
    }

    /// The element that has the focus, by its id.
    func focus() async throws -> String { try await run("return document.activeElement.id") }

    /// Enters a value as a user does who types or chooses it.
    func enter(_ value: String, in id: String) async throws {
        let _: WebDriver.Empty? = try await run(
            """
            const field = document.getElementById(arguments[0]);
            field.value = arguments[1];
            field.dispatchEvent(new Event("input", { bubbles: true }));
            """,
            id,
            value
        )
    }
}
#endif
