#if NIO
import PerRequestAdapters
import PerRequestTestSupport
import PerRequestTesting
import Testing

@Suite(
    "Rule 23: an adapter for a future-style framework holds what it does not list as unmet",
    .timeLimit(.minutes(10))
)
struct FutureConformanceTests {
    @Test("conforms", arguments: ConformanceCheck.all)
    func conforms(_ check: ConformanceCheck) async throws {
        try await check.run(on: FutureServer())
    }

    /// The end of such a body is not told.
    static let plainChecks = ConformanceCheck.all.filter { check in
        check.rule != 19 && (check.rule, check.codePath) != (15, .streamedBody)
    }

    @Test("conforms with bodies of the framework's own", arguments: plainChecks)
    func conformsPlainly(_ check: ConformanceCheck) async throws {
        try await check.run(on: FutureServer(writer: .callbacks))
    }

    @Test("what is listed as wholly unmet is known to the suite")
    func listIsKnown() {
        #expect(ConformanceCheck.unknown(in: FutureServer.unmetGuarantees) == [])
    }

    @Test("the page says what is listed")
    func page() throws {
        #expect(try SupportTable("future-style", FutureServer.unmetGuarantees).differencesFromPage() == [])
    }
}
#endif
