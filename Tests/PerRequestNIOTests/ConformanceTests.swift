#if NIO
import PerRequest
import PerRequestTestSupport
import PerRequestTesting
import Testing

@Suite("Rule 23: what the adapter does not list as unmet holds", .timeLimit(.minutes(10)))
struct ConformanceTests {
    @Test("conforms", arguments: ConformanceCheck.all)
    func conforms(_ check: ConformanceCheck) async throws {
        try await check.run(on: NIOServer())
    }

    @Test("what is listed as wholly unmet is known to the suite")
    func listIsKnown() {
        #expect(ConformanceCheck.unknown(in: NIOServer().unmetGuarantees) == [])
    }

    @Test("the page says what is listed")
    func page() throws {
        #expect(try SupportTable("SwiftNIO", NIOServer().unmetGuarantees).differencesFromPage() == [])
    }
}
#endif
