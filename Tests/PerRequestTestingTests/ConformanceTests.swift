import PerRequest
import PerRequestAdapters
import PerRequestTestSupport
import PerRequestTesting
import Testing

@Suite("Rule 23: withRequestStore holds what it does not list as unmet", .timeLimit(.minutes(5)))
struct ConformanceTests {
    @Test("conforms", arguments: ConformanceCheck.all)
    func conforms(_ check: ConformanceCheck) async throws {
        try await check.run(on: WithRequestStoreServer())
    }

    @Test("what is listed as wholly unmet is known to the suite")
    func listIsKnown() {
        #expect(ConformanceCheck.unknown(in: WithRequestStoreServer().unmetGuarantees) == [])
    }

    @Test("the page says what is listed")
    func page() throws {
        let table = SupportTable("`withRequestStore`", WithRequestStoreServer.unmetGuarantees)
        #expect(try table.differencesFromPage() == [])
    }
}
