import PerRequest
import Testing

@testable import UsingInALibrary

struct GreetingTests {
    // snippet UsingInALibrary.md: Tests
}
