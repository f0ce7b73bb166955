import Hummingbird
import HummingbirdTesting
import PerRequest
import PerRequestTesting
import Testing

// snippet TestingAnApplication.md: Routes

// snippet TestingAnApplication.md: Routes (2)

// snippet TestingAnApplication.md: Code alone

@Test("Overrides that come too late are an error")
func tooLate() async throws {
    await #expect(throws: UnusedRequestOverrides.self) {
        // snippet TestingAnApplication.md: What they do not reach
    }
}

@Test("A commit that is forced to fail is a 500")
func forced() async throws {
    let connection = InMemoryConnection()
    // snippet TestingAnApplication.md: Forced outcomes
}
