#if GRPC
import PerRequest
import PerRequestTestSupport
import PerRequestTesting
import Testing

@Suite("Rule 23: what the adapter does not list as unmet holds", .timeLimit(.minutes(10)))
struct ConformanceTests {
    @Test("conforms", arguments: ConformanceCheck.all)
    func conforms(_ check: ConformanceCheck) async throws {
        try await check.run(on: GRPCTestServer())
    }

    @Test("what is listed as wholly unmet is known to the suite")
    func listIsKnown() {
        #expect(ConformanceCheck.unknown(in: GRPCTestServer().unmetGuarantees) == [])
    }

    @Test(
        "what is listed as wholly unmet does fail",
        arguments: ConformanceCheck.all.filter { GRPCTestServer().unmetGuarantees.contains(where: $0.isExcused) }
    )
    func listIsUpToDate(_ check: ConformanceCheck) async throws {
        await #expect(throws: ConformanceFailure.self) { try await check.run(on: GRPCTestServer(), evenIfUnmet: true) }
    }

    @Test("the page says what is listed")
    func page() throws {
        #expect(try SupportTable("gRPC", GRPCTestServer().unmetGuarantees).differencesFromPage() == [])
    }
}
#endif
